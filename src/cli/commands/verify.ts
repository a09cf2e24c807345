import { defineCommand } from "../command.ts";
import { openExistingStore } from "../local-store.ts";
import { openProgressLine } from "../render/progress.ts";

export const verify = defineCommand({
  name: "verify",
  summary: "Check every file of this host's packages",
  description:
    "Reads the host store in the data directory; no server is needed. Ends with exit code 7 when something is damaged.",
  examples: ["verify", "verify --data-dir /var/lib/larder --json"],
  settings: ["platform"],
  async run(context) {
    const { verifyStore } = await import("../../host/index.ts");
    await using store = await openExistingStore(context);
    using line = openProgressLine(context.terminal);
    const report = await verifyStore(store, { signal: context.terminal.signal, onProgress: line.update });
    return { json: report };
  },
});
