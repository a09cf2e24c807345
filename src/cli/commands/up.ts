import { announce } from "../announce.ts";
import { defineCommand } from "../command.ts";
import { parseHostId } from "../host-options.ts";
import { hostSettings } from "../host-settings.ts";
import { startLocalHost } from "../local-host.ts";
import { serverConfigFrom, serverSettings } from "../server-config.ts";
import { untilStopped } from "../until-stopped.ts";

export const up = defineCommand<[], { hostId: string }>({
  description:
    "The embedded default needs nothing else: state, packages and host share the data directory. Ctrl-C stops it; runs that are under way end first.",
  examples: ["up", "up --data-dir /var/lib/larder --listen 127.0.0.1:0 --json"],
  settings: [...serverSettings, ...hostSettings],
  configure: (command) =>
    void command.option("--host-id <id>", "name of the host that runs within", parseHostId("--host-id"), "local"),
  async run(context, _args, { hostId }) {
    const { startServer } = await import("../../server/index.ts");
    await using server = await startServer(serverConfigFrom(context));
    await using _host = await startLocalHost(context, { hostId, url: new URL(server.url) });
    announce(context, "Larder is up", server.url);
    await untilStopped(context.terminal.signal);
    return { json: undefined };
  },
});
