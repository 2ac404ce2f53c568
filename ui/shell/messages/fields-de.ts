/** German words for the fields of connectors' forms: names of fields, and descriptions by their English text. What is missing stays English. */
export const labelsDe: Readonly<Record<string, string>> = {
  host: "Host",
  port: "Port",
  unitId: "Unit-Id",
  addressing: "Adressierung",
  wordOrder: "Wortfolge",
  periodMs: "Abfrage alle",
  report: "Melden",
  heartbeatMs: "Lebenszeichen nach",
  connectTimeoutMs: "Zeit zum Verbinden",
  timeoutMs: "Zeit für eine Antwort",
  timeoutsUntilLost: "Verloren nach",
  violationsUntilError: "Fehler nach",
  inFlight: "Gleichzeitige Anfragen",
  maxRegisters: "Register je Anfrage",
  maxCoils: "Spulen je Anfrage",
  maxGapRegisters: "Mitgelesene Register",
  maxGapCoils: "Mitgelesene Spulen",
  neverRead: "Nie lesen",
  probe: "Probe",
  endpointUrl: "Adresse des Servers",
  securityPolicy: "Sicherheitsrichtlinie",
  securityMode: "Sicherheitsmodus",
  allowInsecure: "Unsicheres erlauben",
  identity: "Anmeldung",
  kind: "Art",
  anonymous: "Anonym",
  user: "Benutzer",
  certificate: "Zertifikat",
  userName: "Benutzername",
  password: "Passwort",
  privateKey: "Privater Schlüssel",
  applicationName: "Unser Name",
  publishingMs: "Meldung alle",
  samplingMs: "Abtastung alle",
  queueSize: "Puffer je Signal",
  keepAliveMs: "Lebenszeichen alle",
  lifetimeMs: "Sitzung bleibt",
  notificationsPerPublish: "Änderungen je Nachricht",
  history: "Historie nachholen",
  historyHours: "Historie",
  requestTimeoutMs: "Zeit für eine Antwort",
  server: "Server",
  servers: "Server",
  version: "Version",
  security: "Sicherheit",
  authorities: "Zertifizierungsstelle",
  clientId: "Client-Id",
  keepAliveSeconds: "Lebenszeichen",
  qos: "QoS",
  session: "Sitzung",
  templates: "Vorlagen",
  learn: "Zuhören bei",
  take: "Übernommen werden",
  realm: "Bereich",
  hostId: "Host-Id",
  groups: "Gruppen",
  reorderTimeoutMs: "Warten auf Fehlendes",
  rebirth: "Neue Geburt",
  dataType: "Datentyp",
  length: "Länge",
  bit: "Bit",
  count: "Flanken zählen",
  edge: "Flanke",
  debounceMs: "Entprellen",
  topic: "Topic",
  tag: "Signal",
  payload: "Nutzdaten",
  type: "Typ",
  values: "Werte",
  path: "Pfad",
  name: "Name",
  timePath: "Pfad der Zeit",
  timeUnit: "Einheit der Zeit",
  quality: "Qualität",
  style: "Schreibweise",
  retained: "Behaltene Nachrichten",
  indexRange: "Teil des Felds",
  deadband: "Totband",
};

export const descriptionsDe: Readonly<Record<string, string>> = {
  "`all`: everything that comes; tags of the configuration say more of it. `listed`: only the tags of the configuration.":
    "`all`: alles, was kommt; Signale der Konfiguration sagen mehr darüber. `listed`: nur die Signale der Konfiguration.",
  "Name or IP address of the device or gateway.": "Name oder IP-Adresse des Geräts oder Gateways.",
  "TCP port; Modbus TCP uses 502.": "TCP-Port; Modbus TCP nimmt 502.",
  "Unit of addresses that name none. Devices with Ethernet mostly take 1, 0 or 255; behind a gateway it is the serial address.":
    "Unit der Adressen, die keine nennen. Geräte mit Ethernet nehmen meist 1, 0 oder 255; hinter einem Gateway ist es die serielle Adresse.",
  "Whether the first holding register is 40001 or 40000 in the device's manual. holding:0 is always the first.":
    "Ob das erste Halteregister im Handbuch 40001 oder 40000 heißt. holding:0 ist immer das erste.",
  "How bytes of values lie in registers, A being the most significant; tags may differ.":
    "Wie die Bytes von Werten in Registern liegen; A ist das höchstwertige. Signale können abweichen.",
  "How often tags without a class of their own are read, in ms.":
    "Wie oft Signale ohne eigene Klasse gelesen werden, in ms.",
  "Report a value when it changes and at each heartbeat, or at every poll.":
    "Einen Wert melden, wenn er sich ändert und bei jedem Lebenszeichen, oder bei jeder Abfrage.",
  "An unchanged value is reported again after this long, in ms: it proves that the tag is still read.":
    "Ein gleicher Wert wird nach dieser Zeit wieder gemeldet, in ms: Das zeigt, dass noch gelesen wird.",
  "How long the device may take to accept the connection, in ms.":
    "Wie lange das Gerät zum Annehmen der Verbindung brauchen darf, in ms.",
  "How long an answer may take, in ms. Behind a serial gateway allow several turns of the bus.":
    "Wie lange eine Antwort dauern darf, in ms. Hinter einem seriellen Gateway mehrere Umläufe des Busses erlauben.",
  "So many requests in a row without any answer are a lost connection.":
    "So viele Anfragen nacheinander ohne Antwort sind eine verlorene Verbindung.",
  "So many wrong answers in a row end the connection, which then pauses.":
    "So viele falsche Antworten nacheinander beenden die Verbindung; sie macht dann eine Pause.",
  "Requests under way at once. Many devices serve only one; more helps where the way is long.":
    "Anfragen, die zugleich unterwegs sind. Viele Geräte bedienen nur eine; mehr hilft auf langen Wegen.",
  "Registers in one read. Some devices take fewer than the 125 of the standard.":
    "Register in einer Anfrage. Manche Geräte nehmen weniger als die 125 der Norm.",
  "Coils or discrete inputs in one read.": "Spulen oder Eingänge in einer Anfrage.",
  "Unbound registers that may be read along to save a read. A gap that the device refuses is never read again; 0: none is.":
    "Fremde Register, die mitgelesen werden dürfen, um eine Anfrage zu sparen. Was das Gerät verweigert, wird nie wieder gelesen; 0: keine.",
  "Unbound coils or discrete inputs that may be read along to save a read.":
    "Fremde Spulen oder Eingänge, die mitgelesen werden dürfen, um eine Anfrage zu sparen.",
  "Addresses that are never read along, e.g. because reading changes them.":
    "Adressen, die nie mitgelesen werden, etwa weil Lesen sie ändert.",
  "Read once after connecting, to see that somebody answers; an exception is an answer. Empty: nothing is read.":
    "Wird nach dem Verbinden einmal gelesen, um zu sehen, dass jemand antwortet; auch eine Ausnahme ist eine Antwort. Leer: nichts.",
  "Address of the server, e.g. opc.tcp://press-12:4840. Only this host is ever dialled.":
    "Adresse des Servers, etwa opc.tcp://press-12:4840. Nur dieser Rechner wird je gerufen.",
  "The strongest that both sides know, or a named one; `none` needs `allowInsecure`.":
    "Die stärkste, die beide Seiten kennen, oder eine bestimmte; `none` braucht `allowInsecure`.",
  "Signed only, or signed and encrypted; `best` takes encryption where the server has it.":
    "Nur signiert, oder signiert und verschlüsselt; `best` nimmt Verschlüsselung, wo der Server sie hat.",
  "Permits `none`: everybody on the network can then read and forge the values.":
    "Erlaubt `none`: Dann kann jeder im Netz die Werte lesen und fälschen.",
  "Who we are at the server.": "Als wer wir uns beim Server anmelden.",
  "User name at the server.": "Benutzername beim Server.",
  "Password of the user; a reference to a secret, never the secret itself.":
    "Passwort des Benutzers; ein Verweis auf ein Geheimnis, nie dieses selbst.",
  "Our name in the server's session list, in front of the connection's own.":
    "Unser Name in der Sitzungsliste des Servers, vor dem der Verbindung.",
  "How often the server sends what has changed, in ms.": "Wie oft der Server sendet, was sich geändert hat, in ms.",
  "How often the server looks at a tag without a class of its own, in ms; 0 is as fast as it can.":
    "Wie oft der Server ein Signal ohne eigene Klasse ansieht, in ms; 0 ist so schnell er kann.",
  "Changes the server keeps for such a tag between two reports; then the oldest goes, and the overflow bit says so.":
    "Änderungen, die der Server für ein solches Signal zwischen zwei Meldungen behält; dann fällt die älteste weg, und das Überlaufbit sagt es.",
  "A connection silent for so long is asked whether it lives; half as long again without an answer, and it is lost.":
    "Eine so lange stille Verbindung wird gefragt, ob sie lebt; nach nochmals der Hälfte ohne Antwort ist sie verloren.",
  "How long the server keeps session and subscription, with what it queued, while we are away, in ms.":
    "Wie lange der Server Sitzung und Abonnement samt Puffer behält, während wir fort sind, in ms.",
  "Changes in one message at most.": "Änderungen in einer Nachricht, höchstens.",
  "Fill gaps from the server's history where it keeps one for the tag.":
    "Lücken aus der Historie des Servers füllen, wo er eine führt.",
  "How far back a gap is filled, in hours; what lies before becomes a gap record.":
    "Wie weit zurück eine Lücke gefüllt wird, in Stunden; was davor liegt, wird als Lücke verzeichnet.",
  "How long we wait for one answer of the server, in ms.": "Wie lange wir auf eine Antwort des Servers warten, in ms.",
  "One MQTT server.": "Ein MQTT-Server.",
  "Name or address of the MQTT server.": "Name oder Adresse des MQTT-Servers.",
  "1883, or 8883 with TLS.": "1883, oder 8883 mit TLS.",
  "MQTT version that the server speaks.": "MQTT-Version, die der Server spricht.",
  "Encryption of the connection.": "Verschlüsselung der Verbindung.",
  "PEM of the authority that issued the server's certificate; default: the well-known ones.":
    "PEM der Stelle, die das Zertifikat des Servers ausgestellt hat; Vorgabe: die bekannten.",
  "PEM of our client certificate.": "PEM unseres Client-Zertifikats.",
  "The user's password; a reference to a secret, never the secret itself.":
    "Das Passwort des Benutzers; ein Verweis auf ein Geheimnis, nie dieses selbst.",
  "Client identifier; unique at the server. Default: one made for this connection and kept.":
    "Client-Id, einmalig beim Server. Vorgabe: eine für diese Verbindung erzeugte, die bleibt.",
  "A server that is silent for 1.5 times as long counts as lost.":
    "Ein Server, der anderthalbmal so lange schweigt, gilt als verloren.",
  "Quality of service that subscriptions ask for; from 1 on nothing is acknowledged before it is durable.":
    "Dienstgüte der Abonnements; ab 1 wird nichts bestätigt, bevor es dauerhaft ist.",
  "`kept`: the server keeps what comes while we are away (QoS 1 and 2). `clean`: it does not.":
    "`kept`: Der Server behält, was kommt, während wir fort sind (QoS 1 und 2). `clean`: nicht.",
  "Which topics are read, and how; the first that fits is used.":
    "Welche Topics wie gelesen werden; die erste passende Vorlage gilt.",
  "Topic filters to look at without storing anything: templates are proposed from what comes.":
    "Topic-Filter, die ohne zu speichern angesehen werden: Aus dem, was kommt, werden Vorlagen vorgeschlagen.",
  "Whose devices: only messages of the broker's accounts in this realm are read.":
    "Wessen Geräte: Nur Nachrichten der Konten dieses Bereichs werden gelesen.",
  "The MQTT servers of this Sparkplug infrastructure; all are used at once.":
    "Die MQTT-Server dieser Sparkplug-Infrastruktur; alle werden zugleich benutzt.",
  "Our host id; unique among all host applications. Edge nodes name it as their primary host.":
    "Unsere Host-Id, einmalig unter allen Host-Anwendungen. Edge-Knoten nennen sie als ihren primären Host.",
  "Only these groups; empty: all.": "Nur diese Gruppen; leer: alle.",
  "How long a missing message is waited for before a rebirth is asked for.":
    "Wie lange auf eine fehlende Nachricht gewartet wird, bevor eine neue Geburt verlangt wird.",
  "May edge nodes be asked for a new birth? At most once in ten seconds each.":
    "Dürfen Edge-Knoten um eine neue Geburt gebeten werden? Höchstens alle zehn Sekunden jeder.",
  "Unit of this tag, where not the connection's.": "Unit dieses Signals, wo nicht die der Verbindung.",
  "Data type, where the address names none; else uint16, or bool for bits.":
    "Datentyp, wo die Adresse keinen nennt; sonst uint16, oder bool bei Bits.",
  "Registers of a text, two characters each.": "Register eines Textes, je zwei Zeichen.",
  "Bit of the register; 0 is the least significant.": "Bit des Registers; 0 ist das niederwertigste.",
  "Byte order of this tag, where not the connection's.": "Wortfolge dieses Signals, wo nicht die der Verbindung.",
  "When this tag is reported, where not as the connection's.":
    "Wann dieses Signal gemeldet wird, wo nicht wie bei der Verbindung.",
  "Count the edges of this signal instead of reporting its level. Pulses must last two periods.":
    "Die Flanken dieses Signals zählen, statt seinen Pegel zu melden. Pulse müssen zwei Abfragen lang sein.",
  "Which changes are counted.": "Welche Wechsel gezählt werden.",
  "A level counts only when it was seen for this long, in ms.":
    "Ein Pegel zählt erst, wenn er so lange gesehen wurde, in ms.",
  "PEM of the client certificate's private key; a reference to a secret, never the secret itself.":
    "PEM des privaten Schlüssels zum Client-Zertifikat; ein Verweis auf ein Geheimnis, nie dieses selbst.",
  "Topic with variable levels in braces, e.g. `plant/{line}/{machine}/state`; `{rest...}` at the end takes all further levels.":
    "Topic mit veränderlichen Ebenen in Klammern, etwa `plant/{line}/{machine}/state`; `{rest...}` am Ende nimmt alle weiteren.",
  "Address of the tag, made of the same variables, e.g. `{line}.{machine}.state`; default: the topic.":
    "Adresse des Signals aus denselben Veränderlichen, etwa `{line}.{machine}.state`; Vorgabe: das Topic.",
  '`scalar`: the payload is the value. `json`: values by path, or all of them. `columns`: arrays side by side, e.g. {"t":[…],"v":[…]}.':
    '`scalar`: Die Nutzdaten sind der Wert. `json`: Werte nach Pfad, oder alle. `columns`: Felder nebeneinander, etwa {"t":[…],"v":[…]}.',
  "What a scalar is expected to be.": "Was ein einzelner Wert sein soll.",
  "Values of a JSON payload; empty: every number, text and boolean in it.":
    "Werte aus JSON-Nutzdaten; leer: jede Zahl, jeder Text und jeder Wahrheitswert darin.",
  "Where in the payload the value stands, e.g. `data.temperature` or `readings[0].v`.":
    "Wo in den Nutzdaten der Wert steht, etwa `data.temperature` oder `readings[0].v`.",
  "How the tag is called below the template's tag; default: the path.":
    "Wie das Signal unter dem der Vorlage heißt; Vorgabe: der Pfad.",
  "What is expected; anything else is stored as a bad value.":
    "Was erwartet wird; alles andere wird als schlechter Wert gespeichert.",
  "Where the source's time stands; without it a value stands at the time it was received.":
    "Wo die Zeit der Quelle steht; ohne sie gilt die Zeit des Empfangs.",
  "Unit of a numeric time since 1970; auto: by its size.":
    "Einheit einer Zeit in Zahlen seit 1970; auto: nach ihrer Größe.",
  "Quality that travels in the payload.": "Qualität, die in den Nutzdaten mitkommt.",
  "Where the source's quality stands.": "Wo die Qualität der Quelle steht.",
  '`statusCode`: OPC UA, 0 is good. `opcDa`: 192 is good. `good`: true, "good" or "ok" is good.':
    "`statusCode`: OPC UA, 0 ist gut. `opcDa`: 192 ist gut. `good`: true, „good“ oder „ok“ ist gut.",
  "Retained messages, which the server sends again at each new subscription.":
    "Behaltene Nachrichten, die der Server bei jedem neuen Abonnement noch einmal sendet.",
  "The user's X.509 certificate as PEM; a reference to a secret, never the secret itself.":
    "Das X.509-Zertifikat des Benutzers als PEM; ein Verweis auf ein Geheimnis, nie dieses selbst.",
  "The user's private key as PEM; a reference to a secret, never the secret itself.":
    "Der private Schlüssel des Benutzers als PEM; ein Verweis auf ein Geheimnis, nie dieser selbst.",
  "Part of an array, in OPC UA's notation: `0:9`, or `2,0:4` for matrices.":
    "Teil eines Felds in der Schreibweise von OPC UA: `0:9`, bei Matrizen `2,0:4`.",
  "Changes smaller than this are not reported (absolute, in the tag's unit).":
    "Kleinere Änderungen werden nicht gemeldet (absolut, in der Einheit des Signals).",
};
