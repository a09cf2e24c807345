import { LarderError, pinnedKeyIdOf } from "../../contract/index.ts";
import { defineCommand } from "../command.ts";
import { agentTimes, hostSettings } from "../host-settings.ts";
import { lockWaitMs } from "../local-agent.ts";
import { openScriptRunner } from "../sent-scripts.ts";
import { untilStopped } from "../until-stopped.ts";
import { version } from "../version.ts";

export const agent = defineCommand({
  name: "agent",
  summary: "Keep this host stocked, from a server elsewhere",
  description:
    "Enrol the host first (`larder hosts enrol ID`, where the server's admin token is) and give its token here, best in LARDER_TOKEN.",
  examples: [
    "agent --server https://larder.example --data-dir /var/lib/larder",
    "agent --server http://10.0.0.5:7420 --poll-interval 1m --log-level info",
  ],
  settings: [...hostSettings, "platform"],
  async run(context) {
    const { settings, terminal, logger } = context;
    const { server, token } = settings;
    if (!server || token === undefined) {
      throw new LarderError("E_INPUT", `An agent needs ${server ? "the host's token" : "the server's address"}.`, {
        hint: "Give --server URL, and the token that `larder hosts enrol ID` showed in LARDER_TOKEN.",
      });
    }
    // It would be refused at every poll, for ever; one that the server does not know may become known.
    if (pinnedKeyIdOf(token) === undefined) {
      throw new LarderError("E_INPUT", "The token is not a host's.", {
        hint: "Use the whole text that `larder hosts enrol ID` printed; it starts with ldr_host_.",
      });
    }
    const [{ startAgent }, { openHostStore }] = await Promise.all([
      import("../../agent/index.ts"),
      import("../../host/index.ts"),
    ]);
    await using store = await openHostStore({
      directory: settings.dataDir,
      logger,
      ...(settings.platform && { platform: settings.platform }),
    });
    await using scripts = await openScriptRunner(store, settings.allowRuns ?? false);
    await using _running = await startAgent({
      store,
      ...scripts.options,
      server,
      token,
      agentVersion: version,
      ...agentTimes(settings),
      logger,
      waitMs: lockWaitMs,
    });
    if (settings.json)
      terminal.out(`${JSON.stringify({ server: server.origin, dataDir: settings.dataDir, pid: process.pid })}\n`);
    else terminal.out(`This host follows ${server.origin} with its store in ${settings.dataDir}\n`);
    await untilStopped(terminal.signal);
    return { json: undefined };
  },
});
