import { LarderError, type RevokeEffect } from "../../contract/index.ts";
import { type CommandContext, defineCommand, type Page } from "../command.ts";
import { confirm } from "../confirm.ts";
import { connect } from "../connection.ts";
import { followOperation } from "../follow-operation.ts";
import type { LarderClient } from "../larder-client.ts";
import { timeoutOption } from "../option-values.ts";
import { describeLeftOut } from "../render/left-out.ts";
import { openProgressLine } from "../render/progress.ts";
import { count, formatAgo } from "../render/quantity.ts";
import { renderTable } from "../render/table.ts";
import { plain } from "../render/text.ts";
import { waitForHosts } from "../wait-hosts.ts";
import { parsePackageRequests } from "./add.ts";

type Revoked = Awaited<ReturnType<LarderClient["revocations"]["add"]>>;

/** What became of one environment. */
interface Outcome {
  environment: string;
  generation?: number;
  hosts?: number;
  /** Those that were not waited for. */
  silent?: number;
  error?: ReturnType<LarderError["toBody"]>;
}

export const revoke = defineCommand<[version: string], { reason?: string; timeout: number }>({
  description:
    "In all environments: the version is never taken again; a pin of it moves to the newest version that policy allows, or is disabled when there is none; so are packages that " +
    "have no way around it. Environments that hold it are installed, and it waits until their hosts serve the result, but for hosts that are silent. Tells what it would do and asks first.",
  examples: ['revoke left-pad@1.3.1 --reason "compromised"', "revoke @scope/name@2.0.1 --yes --json"],
  args: { version: "NAME@VERSION" },
  configure: (command) =>
    void command
      .option("--reason <text>", "why, for the list and the audit log")
      .addOption(timeoutOption("how long to wait for hosts")),
  async run(context, [given], { reason, timeout }) {
    const { name, version } = parseVersion(given);
    const { client } = await connect(context);
    if (!context.settings.yes) {
      const effects = await client.revocations.plan({ name, version });
      context.terminal.err(`${effects.map(describeEffect).join("\n")}\n`);
      await confirm(context, `Revoke ${name}@${version} everywhere`);
    }
    const wanted = { name, version, ...(reason === undefined ? {} : { reason }) };
    const revoked = await client.revocations.add(wanted).catch((error) => {
      throw context.terminal.signal.aborted ? unanswered(name, version) : error;
    });
    const outcomes = await followInstalls(context, client, { revoked, timeoutMs: timeout });
    const failed = outcomes.some(({ error }) => error !== undefined);
    return {
      json: { ...revoked, outcomes },
      text: (page) => renderRevoked(revoked, outcomes, page),
      ...(failed ? { exitCode: 1 } : {}),
    };
  },
});

function parseVersion(given: string) {
  const [request] = parsePackageRequests([given]);
  if (request?.version !== undefined) return { name: request.name, version: request.version };
  throw new LarderError("E_INPUT", `${JSON.stringify(given)} names no version.`, {
    hint: `To block every version of it: larder policy set --block ${given}`,
  });
}

async function followInstalls(
  { terminal }: CommandContext,
  client: LarderClient,
  { revoked: { revocation, installs }, timeoutMs }: { revoked: Revoked; timeoutMs: number },
): Promise<Outcome[]> {
  using line = openProgressLine(terminal);
  const watcher = { signal: terminal.signal, onProgress: line.update, note: line.note };
  const outcomes: Outcome[] = [];
  for (const install of installs) {
    const { environment } = install;
    try {
      const { result } = await followOperation(client, install, watcher);
      if (result === undefined) throw new LarderError("E_INTERNAL", `The install ${install.id} does not say what it did.`);
      const { generation } = result;
      outcomes.push({ environment, generation });
      const { hosts, silent } = await waitForHosts(client, { environment, generation, timeoutMs }, watcher);
      outcomes.splice(-1, 1, { environment, generation, hosts, silent });
    } catch (thrown) {
      if (terminal.signal.aborted) throw noLongerWaiting(revocation, outcomes, installs.slice(outcomes.length));
      const made = outcomes.at(-1)?.environment === environment ? outcomes.pop() : undefined;
      outcomes.push({ ...made, environment, error: LarderError.from(thrown).toBody() });
    }
  }
  return outcomes;
}

/** Who interrupts has to know what stays done. */
function noLongerWaiting({ name, version }: Revoked["revocation"], outcomes: Outcome[], open: Revoked["installs"]): LarderError {
  const holds = [
    `${name}@${version} is blocked everywhere`,
    ...outcomes.map(({ environment, generation, error }) =>
      generation === undefined ? `${environment}: ${error?.message}` : withoutIt(environment, generation),
    ),
    ...open.map(({ environment }) => `${environment}: its install goes on at the server`),
  ];
  return new LarderError("E_CANCELLED", `No longer waiting. ${holds.map((line) => line.replace(/\.$/, "")).join(". ")}.`, {
    hint: "Hosts follow by themselves; see how far they are: larder status",
  });
}

const unanswered = (name: string, version: string): LarderError =>
  new LarderError("E_CANCELLED", `Interrupted before the server said whether ${name}@${version} is blocked.`, {
    hint: "See whether it is: larder revocations list",
  });

const withoutIt = (environment: string, generation: number): string => `${environment}: generation ${generation} is without it`;

function describeEffect({ environment, holds, repin, disable, error }: RevokeEffect): string {
  if (!holds) return `${environment} does not have it.`;
  const parts = [
    ...repin.map(({ name, from, to }) => `${name} moves from ${from} to ${to}`),
    ...disable.map(({ name, version }) => `${name}@${version} is disabled`),
  ];
  const change = parts.length === 0 ? "its packages stay, with another version of it" : parts.join(", ");
  return plain(`${environment}: ${change}.${error ? ` ${error.message}` : ""}`);
}

function renderRevoked({ revocation, effects }: Revoked, outcomes: Outcome[], { style }: Page): string {
  const { name, version } = revocation;
  const held = effects.filter(({ holds }) => holds);
  if (held.length === 0) return `${style.green("✔")} ${name}@${version} is blocked everywhere. No environment has it.`;
  return [
    `${style.green("✔")} ${style.bold(`${name}@${version} is blocked everywhere.`)}`,
    ...held.map(describeEffect),
    ...outcomes.map(({ environment, generation, hosts, silent, error }) => {
      const made = generation === undefined ? environment : withoutIt(environment, generation);
      if (error) return `${style.red("✘")} ${made}. ${plain(error.message)}${error.hint ? `\n  ${plain(error.hint)}` : ""}`;
      const leftOut = describeLeftOut(silent ?? 0);
      return `${style.green("✔")} ${made}, and ${count(hosts ?? 0, "host serves", "hosts serve")} it.${leftOut ? ` ${leftOut}` : ""}`;
    }),
  ].join("\n");
}

export const revocationsList = defineCommand({
  examples: ["revocations list"],
  async run(context) {
    const { client } = await connect(context);
    const revocations = await client.revocations.list();
    return {
      json: revocations,
      text: (page) =>
        revocations.length === 0
          ? "No version was revoked."
          : renderTable(
              [{ title: "version" }, { title: "reason", shrinkTo: 10 }, { title: "by", shrinkTo: 6 }, { title: "since" }],
              revocations.map(({ name, version, reason = "", revokedBy, revokedAt }) => [
                `${name}@${version}`,
                reason,
                revokedBy,
                formatAgo(revokedAt),
              ]),
              page,
            ),
    };
  },
});

export const revocationsLift = defineCommand<[version: string]>({
  description: "Pins that were moved or disabled stay as they are.",
  examples: ["revocations lift left-pad@1.3.1 --yes"],
  args: { version: "NAME@VERSION" },
  async run(context, [given]) {
    const { name, version } = parseVersion(given);
    const { client } = await connect(context);
    await confirm(context, `Allow ${name}@${version} again in all environments`);
    const lifted = await client.revocations.remove({ name, version });
    return { json: lifted, text: `${name}@${version} is no longer revoked.` };
  },
});
