/** What one would write by hand in an afternoon: an mqtt.js client that appends each message to a file as a line. For the bench `mqtt-peers`. */
import { createWriteStream } from "node:fs";
import { connect } from "mqtt";

const [, , port, file] = process.argv;
const lines = createWriteStream(file, { flags: "a" });
const client = connect(`mqtt://127.0.0.1:${port}`, { clientId: "plain-subscriber", clean: false });
client.on("connect", () => client.subscribe("#", { qos: 1 }));
client.on("message", (topic, payload) => void lines.write(`${Date.now()} ${topic} ${payload}\n`));
