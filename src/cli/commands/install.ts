import { LarderError } from "../../contract/index.ts";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { installAndFollow, renderInstall } from "../install-run.ts";
import { timeoutOption } from "../option-values.ts";
import { shortId } from "../short-id.ts";

export const install = defineCommand<[], { wait: boolean; waitHosts?: boolean; timeout: number }>({
  description:
    "Waits until it is done. Ctrl-C stops the waiting only: the install goes on at the server (see `larder operations cancel`). " +
    "An install that fails changes nothing that hosts see.",
  examples: ["install", "install --wait-hosts --timeout 2m", "install --no-wait --json | jq -r .operation.id"],
  configure: (command) =>
    void command
      .option("--no-wait", "return as soon as it is queued")
      .option("--wait-hosts", "wait, too, until all hosts but silent ones serve the new generation")
      .addOption(timeoutOption("how long to wait for hosts")),
  async run(context, _args, { wait, waitHosts, timeout }) {
    if (!wait && waitHosts) throw new LarderError("E_INPUT", "--no-wait and --wait-hosts contradict each other.");
    const { client } = await connect(context);
    if (!wait) {
      const started = await client.installs.start({ environment: context.settings.environment });
      const id = shortId(started.operation.id);
      return {
        json: started,
        text: started.joined
          ? `An install is under way already: ${id}. See: larder operations list`
          : `The install ${id} is queued. See: larder operations list`,
      };
    }
    const installed = await installAndFollow(context, client, waitHosts ? { timeoutMs: timeout } : undefined);
    return { json: installed, text: (page) => renderInstall(installed, page) };
  },
});
