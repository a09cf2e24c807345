import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { connect } from "../connection.ts";
import { count } from "../render/quantity.ts";

export const secretsRotate = defineCommand({
  description:
    "Makes a new key in the data directory. Where replicas share a key, put the new one in front of the old one first (LARDER_SECRET_KEY=NEW,OLD, or two lines in the file), restart them, run this, then drop the old one.",
  examples: ["secrets rotate"],
  async run(context) {
    const { client } = await connect(context);
    await confirm(context, "Seal every secret with a new key; backups of the old database will need the old key");
    const rotated = await client.secrets.rotate();
    return { json: rotated, text: `${count(rotated.resealed, "secret")} sealed anew with the key in ${rotated.source}.` };
  },
});
