import { LarderError } from "../../contract/bare.ts";
import { parseEnrolmentToken } from "../../contract/for-hosts.ts";
import { defineCommand } from "../command.ts";
import { agentTimes, hostSettings } from "../host-settings.ts";
import { lockWaitMs } from "../local-agent.ts";
import { openScriptRunner } from "../sent-scripts.ts";
import { untilStopped } from "../until-stopped.ts";
import { version } from "../version.ts";

export const agent = defineCommand<[], { name?: string }>({
  description:
    "At its first start it joins with a token (`larder hosts enrol`, where the server's admin token is), best given in LARDER_TOKEN, and then has a key of its own in the data directory. Later starts need no token.",
  examples: [
    "agent --server https://larder.example --data-dir /var/lib/larder",
    "agent --server http://10.0.0.5:7420 --poll-interval 1m --log-level info",
  ],
  settings: [...hostSettings, "platform"],
  configure: (command) =>
    void command.option("--name <name>", "what to be called, when the token leaves it open (default: the machine's name)"),
  async run(context, _args, options) {
    const { settings, terminal, logger } = context;
    const { token } = settings;
    // A wrong character is told apart from a token that the server does not know, and before anybody is asked.
    if (token !== undefined) parseEnrolmentToken(token);
    const [{ startAgent }, { openHostStore, readHostSelf, readIdentity }] = await Promise.all([
      import("../../agent/index.ts"),
      import("../../host/index.ts"),
    ]);
    await using store = await openHostStore({
      directory: settings.dataDir,
      logger,
      ...(settings.platform && { platform: settings.platform }),
    });
    const joined = (await readHostSelf(store)) !== undefined;
    const known = joined ? (await readIdentity(store))?.server : undefined;
    const server = settings.server ?? (known === undefined ? undefined : new URL(known));
    if (!server || (token === undefined && !joined)) {
      throw new LarderError("E_INPUT", `An agent needs ${server ? "a token to join with" : "the server's address"}.`, {
        hint: "Give --server URL, and the token that `larder hosts enrol` showed in LARDER_TOKEN; once it has joined, it needs neither.",
      });
    }
    await using scripts = await openScriptRunner(store, { allowed: settings.allowRuns ?? false, logger });
    await using _running = await startAgent({
      store,
      ...scripts.options,
      server,
      token,
      name: options.name,
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
