/**
 * German words for what connections say of themselves: failures, hints, warnings and the steps of a check. The key is the connector's own sentence, `{0}` and `{1}` are what it fills in; a test
 * reads the sentences out of the connectors, so that none is missing.
 */
export const failuresDe: Readonly<Record<string, string>> = {
  // The runtime, of every kind.
  'There is no kind of connection "{0}".': "Es gibt keine Verbindungsart „{0}“.",
  "Known are {0}.": "Bekannt sind {0}.",
  'There is no connection "{0}".': "Es gibt keine Verbindung „{0}“.",
  "List them to see which there are.": "Die Liste zeigt, welche es gibt.",
  'There is a connection "{0}" already.': "Eine Verbindung „{0}“ gibt es schon.",
  "Update it instead.": "Stattdessen diese ändern.",
  "Correct the configuration.": "Die Konfiguration berichtigen.",
  "The connection was stopped.": "Die Verbindung wurde angehalten.",
  "Start it again.": "Sie wieder starten.",
  "The connection is not up.": "Die Verbindung steht nicht.",
  "Wait until it is, or start it again.": "Warten, bis sie steht, oder sie neu starten.",
  'Connections of kind "{0}" cannot be browsed.': "Verbindungen der Art „{0}“ lassen sich nicht durchsuchen.",
  "Write its addresses by hand, or import them as a table.":
    "Die Adressen von Hand eintragen oder als Tabelle einlesen.",
  "There are more than {0} children; the first of them were listed.":
    "Es gibt mehr als {0} Einträge; gezeigt sind die ersten.",
  "Browse what lies below them, or write the addresses by hand.":
    "Darunter weitersuchen oder die Adressen von Hand eintragen.",
  'Captures of kind "{0}" cannot be decoded afterwards.':
    "Mitschnitte der Art „{0}“ lassen sich nachträglich nicht entschlüsseln.",
  "Its traffic can be looked at; what it means is known only while it is connected.":
    "Der Verkehr lässt sich ansehen; was er bedeutet, ist nur bei bestehender Verbindung bekannt.",
  "Correct it.": "Dies berichtigen.",
  "It is complete and within its bounds.": "Sie ist vollständig und innerhalb ihrer Grenzen.",
  "It is switched on.": "Er ist eingeschaltet.",
  "There was no answer within a minute.": "Innerhalb einer Minute kam keine Antwort.",
  "Is the device very slow, or does something between swallow its answers?":
    "Ist das Gerät sehr langsam, oder verschluckt etwas dazwischen seine Antworten?",
  'Connections of kind "{0}" learn nothing from traffic.': "Verbindungen der Art „{0}“ lernen nichts aus dem Verkehr.",
  "Browse it, or write its addresses by hand.": "Sie durchsuchen oder die Adressen von Hand eintragen.",
  '"{0}" {1}.': "„{0}“ ist ungültig: {1}.",
  "Our own certificate ({0}) ended on {1}: renew it, or the next connection is refused.":
    "Unser eigenes Zertifikat ({0}) ist am {1} abgelaufen: erneuern, sonst wird die nächste Verbindung abgelehnt.",
  "The peer's certificate ({0}) ended on {1}: renew it, or the next connection is refused.":
    "Das Zertifikat der Gegenstelle ({0}) ist am {1} abgelaufen: erneuern, sonst wird die nächste Verbindung abgelehnt.",
  "Our own certificate ({0}) ends on {1}, in 1 day: renew it before.":
    "Unser eigenes Zertifikat ({0}) läuft am {1} ab, in 1 Tag: vorher erneuern.",
  "The peer's certificate ({0}) ends on {1}, in 1 day: renew it before.":
    "Das Zertifikat der Gegenstelle ({0}) läuft am {1} ab, in 1 Tag: vorher erneuern.",
  "Our own certificate ({0}) ends on {1}, in {2} days: renew it before.":
    "Unser eigenes Zertifikat ({0}) läuft am {1} ab, in {2} Tagen: vorher erneuern.",
  "The peer's certificate ({0}) ends on {1}, in {2} days: renew it before.":
    "Das Zertifikat der Gegenstelle ({0}) läuft am {1} ab, in {2} Tagen: vorher erneuern.",
  // Modbus.
  "{0}:{1} takes the connection, but unit {2} does not answer.":
    "{0}:{1} nimmt die Verbindung an, aber Unit {2} antwortet nicht.",
  "Check the unit id, and whether the device has a free connection; or choose another probe.":
    "Unit-Id prüfen, und ob das Gerät eine Verbindung frei hat; oder eine andere Probe wählen.",
  "{0}:{1} does not answer as Modbus TCP asks.": "{0}:{1} antwortet nicht, wie Modbus TCP es verlangt.",
  "Check that port and device speak Modbus TCP, and not RTU over TCP.":
    "Prüfen, ob Port und Gerät Modbus TCP sprechen und nicht RTU über TCP.",
  "The device is not connected.": "Das Gerät ist nicht verbunden.",
  "It is connected again by itself.": "Es wird von selbst wieder verbunden.",
  "Correct the range in the configuration of the connection.":
    "Den Bereich in der Konfiguration der Verbindung berichtigen.",
  "The connection to {0}:{1} was lost.": "Die Verbindung zu {0}:{1} ist verloren gegangen.",
  "Check power and network of the device, and whether it takes another connection: many allow only a few.":
    "Strom und Netz des Geräts prüfen, und ob es noch eine Verbindung annimmt: Viele erlauben nur wenige.",
  "{0}:{1} answers, but not as Modbus TCP asks.": "{0}:{1} antwortet, aber nicht, wie Modbus TCP es verlangt.",
  "Check that port and device speak Modbus TCP (not RTU over TCP), and set inFlight to 1: some mix up answers.":
    "Prüfen, ob Port und Gerät Modbus TCP sprechen (nicht RTU über TCP), und inFlight auf 1 setzen: Manche vertauschen Antworten.",
  "{0}:{1} cannot be reached.": "{0}:{1} ist nicht erreichbar.",
  "The device is there, but nothing listens on this port: check the port and that Modbus TCP is enabled.":
    "Das Gerät ist da, aber auf diesem Port hört niemand: Port prüfen, und ob Modbus TCP eingeschaltet ist.",
  "Check the spelling of the host, or give its IP address.":
    "Die Schreibweise des Hosts prüfen oder seine IP-Adresse angeben.",
  "Check address, cable, and firewalls between this machine and the device.":
    "Adresse, Kabel und Firewalls zwischen diesem Rechner und dem Gerät prüfen.",
  "The connection is accepted.": "Die Verbindung wird angenommen.",
  "The register holds {0}.": "Im Register steht {0}.",
  "The device answers with {0}; it need not have this register.":
    "Das Gerät antwortet mit {0}; dieses Register muss es nicht haben.",
  "The device answers with {0}.": "Das Gerät antwortet mit {0}.",
  "Check the unit id: the gateway has no such unit.": "Unit-Id prüfen: Das Gateway hat diese Unit nicht.",
  "No answer came.": "Es kam keine Antwort.",
  "Check the unit id, and whether Modbus TCP is enabled.": "Unit-Id prüfen, und ob Modbus TCP eingeschaltet ist.",
  "Check that the port speaks Modbus TCP, and not RTU over TCP.":
    "Prüfen, ob der Port Modbus TCP spricht und nicht RTU über TCP.",
  "The answer has a wrong {0}.": "Die Antwort hat einen falschen Wert: {0}.",
  "These answer: {0}.": "Diese antworten: {0}.",
  "Take the unit id from the device's settings.": "Die Unit-Id den Einstellungen des Geräts entnehmen.",
  "None of them answers.": "Keine davon antwortet.",
  "Read from the device": "Vom Gerät lesen",
  "Read holding:0 of unit {0}": "holding:0 der Unit {0} lesen",
  "Look for units ({0})": "Units suchen ({0})",
  // MQTT and Sparkplug.
  "Connect to {0}": "Verbinden mit {0}",
  "Subscribe at {0}": "Abonnieren bei {0}",
  "The server accepts us.": "Der Server nimmt uns an.",
  "{0} topic filters may be read.": "{0} Topic-Filter dürfen gelesen werden.",
  Templates: "Vorlagen",
  "Template {0}": "Vorlage {0}",
  "No topic is read.": "Kein Topic wird gelesen.",
  "Correct the topic or the tag of the template.": "Topic oder Signal der Vorlage berichtigen.",
  "Correct the template.": "Die Vorlage berichtigen.",
  "No topic is read: there is no template.": "Kein Topic wird gelesen: Es gibt keine Vorlage.",
  "Add a template, or a filter to learn from.": "Eine Vorlage hinzufügen oder einen Filter zum Zuhören.",
  "The server is not connected.": "Der Server ist nicht verbunden.",
  "Connect first.": "Zuerst verbinden.",
  '"{0}": {1}.': "„{0}“: {1}.",
  "Write it as plant/# or +/state.": "So schreiben: plant/# oder +/state.",
  'There is no edge node or device "{0}".': "Es gibt keinen Edge-Knoten und kein Gerät „{0}“.",
  "Refresh its parent.": "Das Übergeordnete neu lesen.",
  "No server is connected.": "Kein Server ist verbunden.",
  "One of the servers cannot be reached; connected: {0}.": "Einer der Server ist nicht erreichbar; verbunden: {0}.",
  "Data still come over the others; this one is dialled again.":
    "Daten kommen weiter über die anderen; dieser wird erneut gerufen.",
  "The broker has ended.": "Der Broker hat aufgehört.",
  "It comes back with the server.": "Er kommt mit dem Server wieder.",
  "The embedded MQTT broker is not switched on.": "Der eingebaute MQTT-Broker ist nicht eingeschaltet.",
  "Start the server with --mqtt-port, or connect to an external broker.":
    "Den Server mit --mqtt-port starten oder einen fremden Broker anbinden.",
  'The secret "{0}" does not exist.': "Das Geheimnis „{0}“ gibt es nicht.",
  "Create the secret, or correct the reference.": "Das Geheimnis anlegen oder den Verweis berichtigen.",
  "Certificates are given, but the connection is not encrypted.":
    "Zertifikate sind angegeben, aber die Verbindung ist nicht verschlüsselt.",
  "Choose security tls, or remove the certificates.": "Sicherheit tls wählen oder die Zertifikate entfernen.",
  "A client certificate needs its private key.": "Ein Client-Zertifikat braucht seinen privaten Schlüssel.",
  "Give both, or neither.": "Beides angeben oder keines.",
  "{0} refuses the credential.": "{0} lehnt die Anmeldung ab.",
  "Check user, password or client certificate, and whether the broker allows this client identifier.":
    "Benutzer, Passwort oder Client-Zertifikat prüfen, und ob der Broker diese Client-Id erlaubt.",
  "{0} does not speak this version of MQTT.": "{0} spricht diese MQTT-Version nicht.",
  "Choose the other MQTT version for this connection.": "Für diese Verbindung die andere MQTT-Version wählen.",
  "{0} does not accept the client identifier.": "{0} nimmt die Client-Id nicht an.",
  "Give this connection a client identifier that the broker allows.":
    "Der Verbindung eine Client-Id geben, die der Broker erlaubt.",
  "{0} asks to use another server.": "{0} verweist an einen anderen Server.",
  "Enter the address that the broker's operator names.": "Die Adresse eintragen, die der Betreiber des Brokers nennt.",
  "{0} takes no connection at the moment.": "{0} nimmt zurzeit keine Verbindung an.",
  "The broker is starting, busy or at a quota; it is tried again by itself.":
    "Der Broker startet, ist ausgelastet oder an einer Grenze; es wird von selbst wieder versucht.",
  "{0} ended the connection attempt.": "{0} hat den Verbindungsversuch beendet.",
  "See the broker's log for the reason.": "Den Grund nennt das Protokoll des Brokers.",
  "{0} ended the session.": "{0} hat die Sitzung beendet.",
  "Another client uses the same client identifier; give each its own.":
    "Ein anderer Client benutzt dieselbe Client-Id; jedem seine eigene geben.",
  "See the broker's log for the reason; the connection is tried again by itself.":
    "Den Grund nennt das Protokoll des Brokers; die Verbindung wird von selbst wieder versucht.",
  '{0} refuses the subscription to "{1}".': "{0} lehnt das Abonnement von „{1}“ ab.",
  "Grant this topic filter to the connection's user at the broker.":
    "Diesen Topic-Filter dem Benutzer der Verbindung am Broker erlauben.",
  "{0} does not answer in MQTT.": "{0} antwortet nicht in MQTT.",
  "Check the port, and whether it expects TLS or a WebSocket.":
    "Den Port prüfen, und ob er TLS oder einen WebSocket erwartet.",
  "The certificate of {0} is not trusted.": "Dem Zertifikat von {0} wird nicht vertraut.",
  "Enter the authority that issued it, or have the broker's certificate corrected.":
    "Die Stelle eintragen, die es ausgestellt hat, oder das Zertifikat des Brokers berichtigen lassen.",
  "{0} refuses our client certificate.": "{0} lehnt unser Client-Zertifikat ab.",
  "Give this connection a certificate that the broker's authority has issued.":
    "Der Verbindung ein Zertifikat geben, das die Stelle des Brokers ausgestellt hat.",
  "The connection to {0} broke.": "Die Verbindung zu {0} ist abgebrochen.",
  "Check network and broker; the connection is tried again by itself.":
    "Netz und Broker prüfen; die Verbindung wird von selbst wieder versucht.",
  "{0} cannot be reached.": "{0} ist nicht erreichbar.",
  "Check address, port and firewall, and that the broker runs.":
    "Adresse, Port und Firewall prüfen, und ob der Broker läuft.",
  '{0} refuses to publish on "{1}".': "{0} lehnt das Senden auf „{1}“ ab.",
  "Allow this topic for the connection's user at the broker.":
    "Dieses Topic dem Benutzer der Verbindung am Broker erlauben.",
  "The session with {0} was closed.": "Die Sitzung mit {0} wurde geschlossen.",
  "The session with {0} was ended.": "Die Sitzung mit {0} wurde beendet.",
  "A message could not be stored.": "Eine Nachricht konnte nicht gespeichert werden.",
  "The broker sends what was not acknowledged again after the next connect.":
    "Was nicht bestätigt wurde, sendet der Broker nach dem nächsten Verbinden noch einmal.",
  // OPC UA.
  '"{0}" is no address.': "„{0}“ ist keine Adresse.",
  "Write it as ns=2;s=Name or nsu=uri;i=7.": "So schreiben: ns=2;s=Name oder nsu=uri;i=7.",
  "{0} cannot be browsed.": "{0} lässt sich nicht durchsuchen.",
  "{0} has more than {1} children; the first of them were listed.":
    "{0} hat mehr als {1} Einträge; gezeigt sind die ersten.",
  "Our own certificate can be neither read nor made.": "Unser eigenes Zertifikat lässt sich weder lesen noch erzeugen.",
  "Check that {0} is whole and may be written.": "Prüfen, ob {0} unversehrt ist und beschrieben werden darf.",
  "Compare the thumbprint with the one that the server shows, then trust it.":
    "Den Fingerabdruck mit dem vergleichen, den der Server zeigt, dann vertrauen.",
  "Give the server a new certificate, then trust that one.":
    "Dem Server ein neues Zertifikat geben und dann diesem vertrauen.",
  "The server's certificate cannot be read.": "Das Zertifikat des Servers ist nicht lesbar.",
  "The server's key is not RSA with {0} bits or more.": "Der Schlüssel des Servers ist kein RSA mit {0} Bit oder mehr.",
  "The server's certificate belongs to another application.":
    "Das Zertifikat des Servers gehört einer anderen Anwendung.",
  "The server's certificate has expired.": "Das Zertifikat des Servers ist abgelaufen.",
  "The server's certificate is not valid yet.": "Das Zertifikat des Servers gilt noch nicht.",
  "The server's certificate has been revoked by its issuer.":
    "Das Zertifikat des Servers wurde von seinem Aussteller widerrufen.",
  "The server's certificate is not known here.": "Das Zertifikat des Servers ist hier nicht bekannt.",
  "The issuer's key is too weak.": "Der Schlüssel des Ausstellers ist zu schwach.",
  "The issuer's certificate is not valid today.": "Das Zertifikat des Ausstellers gilt heute nicht.",
  "The issuer's certificate has been revoked.": "Das Zertifikat des Ausstellers wurde widerrufen.",
  "The revocation list {0} cannot be read.": "Die Sperrliste {0} ist nicht lesbar.",
  "There is no connection.": "Es gibt keine Verbindung.",
  "The connection was closed.": "Die Verbindung wurde geschlossen.",
  "Connect again.": "Neu verbinden.",
  "There is no connection to browse.": "Es gibt keine Verbindung zum Durchsuchen.",
  "{0}: The server refuses the user.": "{0}: Der Server lehnt den Benutzer ab.",
  "Check name and credential in the server's user list; we try again only rarely, so that it is not locked.":
    "Name und Kennwort in der Benutzerliste des Servers prüfen; wir versuchen es nur selten wieder, damit er nicht gesperrt wird.",
  "{0}: The server does not accept our certificate.": "{0}: Der Server nimmt unser Zertifikat nicht an.",
  "Trust the certificate of Lineshaft in the server's list of clients (often under `rejected`).":
    "Dem Zertifikat von Lineshaft in der Clientliste des Servers vertrauen (oft unter `rejected`).",
  "{0}: The server does not offer this kind of identity or security.":
    "{0}: Der Server bietet diese Art der Anmeldung oder Sicherheit nicht.",
  "Compare the identity and the security of this connection with the server's settings.":
    "Anmeldung und Sicherheit dieser Verbindung mit den Einstellungen des Servers vergleichen.",
  "{0}: The server has no room for one more session or subscription.":
    "{0}: Der Server hat keinen Platz für noch eine Sitzung oder ein Abonnement.",
  "Close clients that are no longer needed, or raise the server's limit.":
    "Nicht mehr gebrauchte Clients schließen oder die Grenze des Servers erhöhen.",
  "{0}: What answers there ends the conversation.": "{0}: Was dort antwortet, bricht das Gespräch ab.",
  "Check that this is the port of an OPC UA server (opc.tcp), and that it takes one more connection.":
    "Prüfen, ob dies der Port eines OPC-UA-Servers ist (opc.tcp) und er noch eine Verbindung annimmt.",
  "{0}: Nobody answers at this address.": "{0}: Unter dieser Adresse antwortet niemand.",
  "Check address, port, cable and firewall, and whether the server runs.":
    "Adresse, Port, Kabel und Firewall prüfen, und ob der Server läuft.",
  "{0} answers, but the conversation failed.": "{0} antwortet, aber das Gespräch ist gescheitert.",
  "Check that this is the port of an OPC UA server (opc.tcp), and the technical line below.":
    "Prüfen, ob dies der Port eines OPC-UA-Servers ist (opc.tcp), und die technische Zeile darunter.",
  "{0} went away.": "{0} ist fort.",
  "Nothing to do: the connection is made again, and the gap is filled where the server keeps history.":
    "Nichts zu tun: Die Verbindung entsteht neu, und die Lücke wird gefüllt, wo der Server eine Historie führt.",
  "The configuration is not valid: {0} {1}.": "Die Konfiguration ist ungültig: {0} {1}.",
  "Correct the field.": "Das Feld berichtigen.",
  "Security policy None needs `allowInsecure`.": "Die Richtlinie None braucht `allowInsecure`.",
  "Take `best`, or set allowInsecure if everybody on this network may read and forge the values.":
    "`best` nehmen, oder allowInsecure setzen, falls jeder in diesem Netz die Werte lesen und fälschen darf.",
  "A user's credential is not sent over a connection without security.":
    "Ein Kennwort wird nicht über eine ungesicherte Verbindung gesendet.",
  "Choose a security policy, or connect as anonymous.": "Eine Richtlinie wählen oder anonym verbinden.",
  "The server accepts no {0} with this security.": "Der Server nimmt bei dieser Sicherheit nicht an: {0}.",
  "Choose another identity, or enable it in the server.":
    "Eine andere Anmeldung wählen oder sie im Server einschalten.",
  'The server offers no endpoint with policy "{0}" and mode "{1}".':
    "Der Server bietet keinen Endpunkt mit Richtlinie „{0}“ und Modus „{1}“.",
  "Enable security in the server; only if that is impossible, take policy none with allowInsecure.":
    "Die Sicherheit im Server einschalten; nur wenn das unmöglich ist, Richtlinie none mit allowInsecure nehmen.",
  "Enable Basic256Sha256, Aes128_Sha256_RsaOaep or Aes256_Sha256_RsaPss in the server, or choose what it offers.":
    "Basic256Sha256, Aes128_Sha256_RsaOaep oder Aes256_Sha256_RsaPss im Server einschalten oder wählen, was er bietet.",
  "The server answers: {0}.": "Der Server antwortet: {0}.",
  "The server lists its endpoints: {0}.": "Der Server nennt seine Endpunkte: {0}.",
  "Both sides know a security policy: {0}.": "Beide Seiten kennen eine Richtlinie: {0}.",
  "The server's certificate is in order: {0}.": "Das Zertifikat des Servers ist in Ordnung: {0}.",
  "The server has accepted us: {0}.": "Der Server hat uns angenommen: {0}.",
  "A value was read: the server's clock.": "Ein Wert wurde gelesen: die Uhr des Servers.",
  "Our certificate is valid for {0} more days.": "Unser Zertifikat gilt noch {0} Tage.",
  "The server's certificate is valid for {0} more days.": "Das Zertifikat des Servers gilt noch {0} Tage.",
  "Renew it before it ends.": "Es erneuern, bevor es endet.",
};
