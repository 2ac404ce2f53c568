import type { ProblemCode } from "@lineshaft/contract/api";

const entry = (title: string, action: string) => ({ title, action });

/** The problem catalogue in German; the English texts are the catalogue's own. */
export const problemsDe: Readonly<Record<ProblemCode, { title: string; action: string }>> = {
  auth_missing: entry(
    "Es wurde keine Anmeldung mitgegeben.",
    "`Authorization: Bearer <API-Schlüssel>` senden oder zuerst anmelden.",
  ),
  auth_invalid: entry(
    "Diese Anmeldung ist nicht bekannt.",
    "Prüfen, ob der Schlüssel ganz kopiert wurde und zu diesem Server gehört.",
  ),
  auth_throttled: entry(
    "Zu viele Fehlversuche von dieser Adresse.",
    "Die in Retry-After genannte Zeit warten; API-Schlüssel sind nicht betroffen.",
  ),
  key_expired: entry("Der API-Schlüssel ist abgelaufen.", "Einen Administrator um einen neuen Schlüssel bitten."),
  key_revoked: entry("Der API-Schlüssel wurde gesperrt.", "Einen Administrator um einen neuen Schlüssel bitten."),
  credential_in_url: entry(
    "In der Adresse steht ein Geheimnis.",
    "Im Kopf Authorization senden; Adressen landen in Protokollen. Diesen Schlüssel als verraten betrachten.",
  ),
  forbidden: entry(
    "Diese Anmeldung erlaubt das nicht.",
    "Einen Administrator um eine Rolle oder einen Bereich bitten, der es einschließt.",
  ),
  csrf: entry(
    "Die Anfrage kommt nicht von den eigenen Seiten dieses Servers.",
    "Für Programme einen API-Schlüssel benutzen; das Sitzungs-Cookie dient nur der Konsole.",
  ),
  scope_changed: entry("Die Rechte dieser Verbindung haben sich geändert.", "Neu verbinden."),
  not_found: entry(
    "Das gibt es nicht, oder es ist für Sie nicht sichtbar.",
    "Die Kennung prüfen; die Liste zeigt, was es gibt.",
  ),
  method_not_allowed: entry(
    "Die Adresse gibt es, die Methode nicht.",
    "Die API-Referenz nennt die Methoden dieser Adresse.",
  ),
  not_acceptable: entry("Keiner der gewünschten Medientypen kann geliefert werden.", "application/json annehmen."),
  media_type_unsupported: entry(
    "Der Medientyp des Inhalts wird nicht unterstützt.",
    "application/json oder application/vnd.lineshaft.columns senden.",
  ),
  body_too_large: entry("Der Inhalt ist größer als erlaubt.", "Kleinere Pakete senden."),
  decompressed_too_large: entry("Der Inhalt ist entpackt größer als erlaubt.", "Kleinere Pakete senden."),
  too_many_rows: entry("Das Paket hat mehr Zeilen als erlaubt.", "Höchstens 100.000 Zeilen je Paket senden."),
  request_timeout: entry(
    "Die Anfrage war nicht rechtzeitig vollständig.",
    "Noch einmal senden, schneller oder kleiner.",
  ),
  headers_too_large: entry("Die Kopfzeilen sind größer als erlaubt.", "Weniger oder kürzere Kopfzeilen senden."),
  bad_framing: entry("Die HTTP-Nachricht ist nicht wohlgeformt.", "Den Client oder den Proxy dazwischen prüfen."),
  json_invalid: entry("Der Inhalt ist kein JSON.", "Den Inhalt an der genannten Stelle prüfen."),
  json_too_deep: entry("Das JSON ist zu tief verschachtelt.", "Höchstens 32 Ebenen werden gelesen."),
  json_duplicate_key: entry("Ein JSON-Objekt nennt einen Schlüssel zweimal.", "Jeden Schlüssel einmal nennen."),
  json_encoding: entry(
    "Der Text ist kein gültiges UTF-8 oder enthält NUL oder ein einzelnes Surrogat.",
    "Den Inhalt als UTF-8 ohne NUL kodieren.",
  ),
  reserved_key: entry(
    "Ein reservierter Schlüssel wird benutzt.",
    "Die Schlüssel __proto__, constructor und prototype nicht benutzen.",
  ),
  request_invalid: entry("Die Anfrage hat nicht die erwartete Form.", "Die in `errors` genannten Felder berichtigen."),
  field_readonly: entry("Ein Feld wird nur vom Server gesetzt.", "Das Feld weglassen."),
  limit_invalid: entry(
    "Die Seitengröße liegt außerhalb des Bereichs.",
    "Eine ganze Zahl im dokumentierten Bereich verwenden.",
  ),
  name_invalid: entry(
    "Der Name kann nicht verwendet werden.",
    "1 bis 512 Zeichen ohne Steuerzeichen, in Unicode ohne einzelne Surrogate.",
  ),
  cursor_invalid: entry("Der Cursor stammt nicht von diesem Server für diese Anfrage.", "Ohne Cursor beginnen."),
  cursor_foreign: entry(
    "Der Cursor gehört zu einer früheren Generation des Logs (dazwischen lag eine Wiederherstellung).",
    "Neu ab einer Zeit beginnen.",
  ),
  cursor_expired: entry(
    "Das Log reicht nicht mehr bis zu diesem Cursor zurück.",
    "Ab einer Zeit beginnen: Was das Log abgegeben hat, liefert die Historie.",
  ),
  revision_conflict: entry(
    "Jemand hat das inzwischen geändert.",
    "Neu lesen und die Änderung auf die neue Fassung anwenden.",
  ),
  precondition_required: entry(
    "Die Änderung muss die Fassung nennen, auf der sie beruht.",
    "If-Match mit dem gelesenen ETag senden.",
  ),
  range_invalid: entry("Der Zeitraum ist leer oder verkehrt herum.", "from < to angeben."),
  query_too_large: entry(
    "Die Abfrage würde zu viel liefern oder lesen.",
    "Kürzeren Zeitraum, weniger Signale oder breitere Schritte wählen.",
  ),
  query_timeout: entry(
    "Die Abfrage hat zu lange gedauert.",
    "Kürzeren Zeitraum, weniger Signale oder breitere Schritte wählen.",
  ),
  quota_rate: entry(
    "Diese Quelle sendet schneller, als ihr Kontingent erlaubt.",
    "Langsamer senden oder um ein größeres Kontingent bitten.",
  ),
  too_many_streams: entry("Zu viele Ströme sind offen.", "Nicht benutzte Ströme schließen."),
  slow_consumer: entry("Der Strom wurde geschlossen, weil der Leser nicht mitkam.", "Vom letzten Cursor fortsetzen."),
  columns_invalid: entry(
    "Der spaltenweise Inhalt ist nicht wohlgeformt.",
    "Siehe die Beschreibung des Formats; die Einzelheit nennt die Stelle.",
  ),
  tag_unknown: entry(
    "Auf dieser Verbindung gibt es kein Signal mit dieser Kennung.",
    "Namen senden oder die Namen zuerst erfassen.",
  ),
  value_invalid: entry(
    "Der Wert hat keinen Typ, der aufbewahrt werden kann.",
    "Zahl, Wahrheitswert, Text, null oder eines der dokumentierten Objekte senden.",
  ),
  number_out_of_range: entry(
    "Die Zahl kann nicht genau aufbewahrt werden.",
    'Ganze Zahlen gehen bis ±2^63; für Unendlich {"double":"Infinity"} senden.',
  ),
  value_too_large: entry(
    "Der Text oder die Bytes sind länger als erlaubt.",
    "Höchstens 65.536 Bytes je Wert werden aufbewahrt.",
  ),
  time_invalid: entry(
    "Die Zeit ist nicht zu verstehen.",
    "µs seit 1970 als ganze Zahl oder Text nach RFC 3339 mit Zone senden.",
  ),
  status_invalid: entry(
    "Der Status ist kein OPC-UA-StatusCode.",
    "Eine vorzeichenlose 32-Bit-Zahl senden; 0 ist Good.",
  ),
  unit_unknown: entry("Die Einheit ist keine UCUM-Einheit.", "Einen UCUM-Code wie Cel, kg, mm/s oder % verwenden."),
  quota_tags: entry(
    "Die Verbindung hat ihre Höchstzahl an Signalen erreicht.",
    "Unbenutzte Namen an der Quelle entfernen oder das Kontingent der Verbindung erhöhen.",
  ),
  correction_undeclared: entry(
    "Eine Korrektur kam von einer Quelle, die keine Korrekturen ankündigt.",
    "mode=correct nur von einer Quelle senden, der ihre Historie gehört.",
  ),
  spb_payload_invalid: entry(
    "Die Nachricht ist kein Sparkplug-B-Inhalt.",
    "Prüfen, was auf diesem Topic veröffentlicht; unter spBv1.0 gehört nur Sparkplug B in Protobuf.",
  ),
  spb_limits: entry(
    "Die Sparkplug-Nachricht ist größer oder tiefer geschachtelt als erlaubt.",
    "Die Metriken auf mehrere Geräte oder Nachrichten verteilen.",
  ),
  spb_birth_missing: entry(
    "Daten kamen ohne eine Geburtsurkunde, die sie erklärt, und auch eine Neugeburt brachte rechtzeitig keine.",
    "Prüfen, ob der Edge-Knoten auf `Node Control/Rebirth` antwortet; ein Neustart sendet die Geburt ebenfalls.",
  ),
  spb_alias_unknown: entry(
    "Eine Metrik hat einen Alias oder Namen, den die Geburtsurkunde nicht enthält.",
    "Der Edge-Knoten muss jede Metrik bei der Geburt ankündigen; eine Neugeburt wurde angefordert.",
  ),
  spb_alias_ambiguous: entry(
    "Eine Geburtsurkunde gibt zwei Metriken eines Edge-Knotens denselben Alias.",
    "Jeder Metrik des Edge-Knotens samt seinen Geräten einen eigenen Alias geben.",
  ),
  mqtt_payload_invalid: entry(
    "Der Inhalt einer MQTT-Nachricht ist nicht so lesbar, wie die Topic-Vorlage sagt.",
    "Die Inhaltsform der Vorlage berichtigen oder das, was die Maschine sendet.",
  ),
  mqtt_value_missing: entry(
    "Der Inhalt einer MQTT-Nachricht enthält den Wert nicht, den die Vorlage nennt.",
    "Den Pfad in der Vorlage berichtigen oder das, was die Maschine sendet.",
  ),
  opcua_message_invalid: entry(
    "Eine Meldung eines OPC-UA-Servers lässt sich nicht entschlüsseln.",
    "Den Verkehr der Verbindung aufzeichnen und dem Hersteller des Servers melden; seine übrigen Meldungen laufen weiter.",
  ),
  equipment_level_invalid: entry(
    "Die Ebene passt nicht unter die darüber.",
    "Die Reihenfolge ist Unternehmen, Standort, Bereich, Linie, Maschine.",
  ),
  path_taken: entry("Etwas anderes trägt hier diesen Namen.", "Einen anderen Namen wählen."),
  connection_kind_invalid: entry(
    "Die Verbindung gibt es mit einer anderen Art.",
    "Einen anderen Namen für die Verbindung wählen.",
  ),
  configuration_invalid: entry(
    "Die Konfiguration kann so nicht angewendet werden.",
    "Die in `errors` genannten Stellen berichtigen; es wurde nichts geändert.",
  ),
  yaml_invalid: entry(
    "Der Text ist kein YAML, das hier gelesen werden kann.",
    "Die genannte Stelle berichtigen; gelesen wird YAML 1.2 ohne eigene Tags.",
  ),
  key_unknown: entry("Diesen Schlüssel gibt es hier nicht.", "Die Schreibweise berichtigen oder ihn weglassen."),
  key_duplicate: entry("Etwas ist zweimal genannt.", "Eines von beiden behalten."),
  condition_invalid: entry(
    "Die Bedingung ist keine, die an einen Wert gestellt werden kann.",
    "`value` vergleichen, eine Zahl, geschrieben wie 5.0; Texte, Makros und andere Funktionen als int() und double() gehen nicht.",
  ),
  equipment_unknown: {
    title: "Eine Anlage, die genannt wird, gibt es nicht, oder sie ist für Sie nicht sichtbar.",
    action: "Die Nummer prüfen; die Liste der Anlagen zeigt, was es gibt.",
  },
  quantity_negative: {
    title: "Eine Menge, ein Anteil oder ein Faktor ist negativ, oder null, wo etwas stehen muss.",
    action: "Die genannte Zahl berichtigen; zurückgenommen wird durch Ändern, nicht durch eine negative Menge.",
  },
  cycle_time_invalid: {
    title: "Eine ideale Zykluszeit ist nicht größer als null.",
    action:
      "Die kürzeste Dauer eines Zyklus in µs angeben und wie viele Einheiten er ergibt; weglassen, wo sie nicht bekannt ist.",
  },
  calendar_invalid: {
    title: "Nach dem Schichtkalender kann nicht gearbeitet werden.",
    action: "Die in `errors` genannten Stellen berichtigen; geändert wurde nichts.",
  },
  time_zone_unknown: {
    title: "Diese Zeitzone gibt es nicht.",
    action: "Einen IANA-Namen wie Europe/Berlin angeben; ein bloßer Abstand kennt keine Sommerzeit.",
  },
  shifts_overlap: {
    title: "Zwei Schichten überschneiden sich.",
    action: "Die eine enden lassen, wo die andere beginnt; eine Anlage arbeitet zu einer Zeit in einer Schicht.",
  },
  order_unknown: entry(
    "Diesen Auftrag oder diesen Arbeitsgang gibt es nicht.",
    "Die Nummer prüfen; ein eben erst freigegebener Auftrag braucht manchmal einen Augenblick.",
  ),
  operation_ambiguous: entry(
    "Der Auftrag hat mehrere Arbeitsgänge, und es ist nicht gesagt, welcher gemeint ist.",
    "Einen der in `errors` genannten Arbeitsgänge angeben.",
  ),
  order_finished: entry(
    "Der Auftrag ist an dieser Maschine beendet.",
    "Soll noch mehr gefertigt werden, die Buchung zurücknehmen, die ihn beendet hat.",
  ),
  booking_time_invalid: entry(
    "Die Zeit der Buchung liegt in der Zukunft oder zu weit zurück.",
    "Die Uhr des Terminals prüfen.",
  ),
  booking_conflict: entry(
    "Eine andere Buchung hat dieselbe Kennung.",
    "Jeder Buchung eine eigene Kennung geben, z. B. eine UUID; eine Wiederholung muss in allem gleich sein.",
  ),
  equipment_not_bookable: entry(
    "Hier werden keine Aufträge ausgeführt.",
    "An einer Maschine buchen, oder an einer Linie, die als Ganzes gebucht wird.",
  ),
  reason_circular: {
    title: "Der Baum der Gründe würde sich im Kreis schließen.",
    action: "Den Grund unter einen anderen stellen, der nicht unter ihm steht.",
  },
  import_invalid: entry(
    "Die Datei mit Stammdaten kann so nicht übernommen werden.",
    "Die genannten Zellen berichtigen und die Datei noch einmal senden; es wurde nichts geändert.",
  ),
  cell_missing: entry("Eine Zelle ist leer, in der etwas stehen muss.", "Sie ausfüllen oder die Zeile herausnehmen."),
  cell_unreadable: entry(
    "In einer Zelle steht nicht, was ihre Spalte braucht.",
    "Zahlen ohne Tausendertrennzeichen schreiben, Zeiten wie 2026-11-26 06:00 oder 26.11.2026 06:00.",
  ),
  reference_unknown: entry(
    "Es wird auf etwas verwiesen, das es nicht gibt.",
    "Den Namen berichtigen oder das Genannte hinzufügen.",
  ),
  environment_missing: entry(
    "Eine Umgebungsvariable, auf die die Datei verweist, kann nicht gelesen werden.",
    "Sie dort setzen, wo `lineshaft` läuft; ein Server liest für eine zugesandte Konfiguration nie seine eigene Umgebung.",
  ),
  connection_kind_unknown: entry(
    "Es gibt keinen Konnektor dieser Art.",
    "Eine der genannten Arten benutzen; siehe die Seiten der Konnektoren.",
  ),
  model_published: entry(
    "Eine veröffentlichte Fassung eines Modells ändert sich nie.",
    "Dem geänderten Modell eine neue Version geben und die Anlagen diese benutzen lassen.",
  ),
  still_in_use: entry("Etwas verweist noch darauf.", "Zuerst das Genannte verschieben oder entfernen."),
  valid_from_future: entry(
    "Eine Änderung kann nicht ab einem Zeitpunkt gelten, der noch nicht gekommen ist.",
    "Einen Zeitpunkt bis jetzt angeben, oder keinen.",
  ),
  archive_invalid: entry(
    "Das Archiv oder die Arbeitsmappe ist nicht lesbar.",
    "Ohne Kennwort noch einmal als XLSX speichern, oder als CSV.",
  ),
  archive_limits: entry(
    "Das Archiv enthält mehr, als hier entpackt wird.",
    "Herausnehmen, was nicht gebraucht wird, oder in Teilen senden.",
  ),
  xml_invalid: entry(
    "Das Dokument ist kein wohlgeformtes XML.",
    "Mit dem Programm, das es erzeugt hat, noch einmal speichern.",
  ),
  xml_doctype: entry("XML mit DOCTYPE wird nicht gelesen.", "Den DOCTYPE herausnehmen."),
  xml_limits: entry(
    "Das XML ist größer oder tiefer, als hier gelesen wird.",
    "In Teilen senden; was Programme schreiben, liegt weit unter den Grenzen.",
  ),
  csv_invalid: entry(
    "Die Tabelle kann nicht gelesen werden.",
    "Die genannten Zeilen berichtigen; die erste Zeile enthält die Namen der Spalten.",
  ),
  cell_damaged: entry(
    "Ein Tabellenprogramm hat diese Zelle verändert.",
    "Die Spalte im Tabellenprogramm als Text formatieren, den Wert neu eingeben und noch einmal exportieren.",
  ),
  disk_full: entry(
    "Die Platte ist voll; es wird nichts angenommen, bis Platz ist.",
    "Plattenplatz schaffen; die Quelle soll ihre Daten behalten und es wieder versuchen.",
  ),
  storage_unavailable: entry(
    "Das Log kann nicht geschrieben werden; nichts wird bestätigt.",
    "Die Platte prüfen, dann den Server neu starten. Lesen geht weiter.",
  ),
  history_unavailable: entry(
    "Die Historie kann gerade nicht gelesen werden.",
    "Wieder versuchen; die Systemseite sagt, warum.",
  ),
  history_damaged: entry(
    "Ein Teil der Historie ist beschädigt und wird wiederhergestellt.",
    "Der Rest wird geliefert; `warnings` nennt den Zeitraum.",
  ),
  period_frozen: entry(
    "Der Zeitraum ist älter als das, was aufbewahrt wird, und kann nicht geändert werden.",
    "Vor dem nächsten Import die Aufbewahrung verlängern.",
  ),
  overloaded: entry(
    "Der Server weist Last ab, um in seinem Speicher zu bleiben.",
    "Nach Retry-After wieder versuchen.",
  ),
  record_conflict: entry(
    "Die Kennung ist mit anderem Inhalt bekannt.",
    "Jedem Fakt eine eigene Kennung geben; zum Berichtigen mit größerer Revision senden.",
  ),
  record_unknown: entry(
    "Unter dieser Kennung ist nichts gemeldet, was sich zurücknehmen ließe.",
    "Die Kennung prüfen; was schon zurückgenommen ist, braucht keine zweite Rücknahme.",
  ),
  record_subject_missing: entry(
    "Weder Seriennummer noch Los ist genannt.",
    "Angeben, zu welcher Einheit oder welchem Los es gehört.",
  ),
  record_time_ahead: entry(
    "Es liegt in der Zukunft.",
    "Die Uhr der Quelle stellen; Pläne sind keine Fakten und stehen als Aufträge.",
  ),
  as_of_invalid: entry(
    "asOf ist weder eine Stelle im Log noch ein Zeitpunkt, oder es liegt voraus.",
    "Die LSN eines Eintrags senden, oder RFC-3339-Text mit Zone, der nicht in der Zukunft liegt.",
  ),
  as_of_expired: entry(
    "Was damals veröffentlicht war, wird nicht mehr aufbewahrt.",
    "Nach einer späteren Stelle im Log fragen, oder nach einem Zeitraum, für den Fakten aufbewahrt werden.",
  ),
  work_not_taken: entry(
    "Das Ergebnis gehört zu keiner Arbeit, die auf diesem Stand vergeben wurde.",
    "Arbeit neu holen: Ein anderer hat sie, oder etwas, worauf sie beruht, hat sich geändert. Mit der basisLsn der Arbeit veröffentlichen.",
  ),
  result_too_large: entry(
    "Die Einzelheiten eines Ergebnisses sind größer als 64 KiB.",
    "In `detail` steht, was zum Aufaddieren und Zeigen gebraucht wird; auf das Übrige mit `evidence` verweisen.",
  ),
  applications_too_many: entry(
    "Es gibt so viele Anwendungen, wie ein Mandant haben darf.",
    "Den Namen einer Anwendung verwenden, die nicht mehr gebraucht wird.",
  ),
  shutting_down: entry("Der Server hält an.", "In einigen Sekunden wieder versuchen."),
  data_dir_locked: entry(
    "Ein anderer Prozess besitzt das Datenverzeichnis.",
    "Ihn zuerst anhalten oder ein anderes --data-Verzeichnis wählen.",
  ),
  data_dir_mixed: entry(
    "Die Teile des Datenverzeichnisses gehören nicht zusammen.",
    "Das Log zurücklegen, das zu dieser Registry gehört, oder alles aus einer Sicherung wiederherstellen.",
  ),
  data_dir_version: entry(
    "Das Datenverzeichnis stammt von einer Fassung, die diese nicht lesen kann.",
    "Eine passende Fassung verwenden; diese und die vorige sind lesbar.",
  ),
  internal: entry(
    "Ein Fehler in Lineshaft.",
    "Mit Zeit und Kennung der Anfrage melden; Einzelheiten stehen im Protokoll des Servers.",
  ),
};
