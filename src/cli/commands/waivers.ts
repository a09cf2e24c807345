import { Option } from "commander";
import { LarderError, type NewWaiver, type WaivableRule, type Waiver, waivableRules } from "../../contract/index.ts";
import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { connect } from "../connection.ts";
import { parseExpiry } from "../option-values.ts";
import { parseSubject } from "../policy-options.ts";
import { formatAgo } from "../render/quantity.ts";
import { renderTable } from "../render/table.ts";
import { completeId } from "../short-id.ts";

export const waiversList = defineCommand({
  examples: ["waivers list", "waivers list --json | jq '.[] | select(.expired)'"],
  async run(context) {
    const { client } = await connect(context);
    const waivers = await client.waivers.list({ environment: context.settings.environment });
    return {
      json: waivers,
      text: (page) =>
        waivers.length === 0
          ? "There are no waivers."
          : renderTable(
              [
                { title: "id" },
                { title: "rule" },
                { title: "for", shrinkTo: 12 },
                { title: "reason", shrinkTo: 10 },
                { title: "by", shrinkTo: 6 },
                { title: "made" },
                { title: "until" },
              ],
              waivers.map((waiver) => [
                waiver.id.slice(0, 8),
                waiver.rule,
                subjectOf(waiver),
                waiver.reason,
                waiver.createdBy,
                formatAgo(waiver.createdAt),
                waiver.expired
                  ? { text: "expired", paint: "yellow" }
                  : (waiver.expiresAt?.slice(0, 16).replace("T", " ") ?? "ever"),
              ]),
              page,
            ),
    };
  },
});

interface AddOptions {
  rule: WaivableRule;
  registry?: string;
  reason: string;
  expires?: number;
}

export const waiversAdd = defineCommand<[subject: string | undefined], AddOptions>({
  description:
    "For versions of one package and one rule; or, with --registry, for all of unknown age that a registry has. It holds from the next install on.",
  examples: [
    'waivers add left-pad@1.3.1 --rule release-age --reason "security fix, read it"',
    'waivers add --registry npm.acme.test --rule unknown-age --reason "our own" --expires 90d',
  ],
  args: { package: "NAME, or NAME@RANGE" },
  configure: (command) =>
    void command
      .addOption(new Option("--rule <rule>", "the rule to waive").choices(waivableRules).makeOptionMandatory())
      .option("--registry <host>", "for all of this registry's packages (unknown-age only)")
      .requiredOption("--reason <text>", "why, for the list and the audit log")
      .addOption(
        new Option("--expires <time>", "until when: 30d from now, or a date such as 2030-01-31 (default: never)").argParser(
          parseExpiry("--expires"),
        ),
      ),
  async run(context, [subject], { rule, registry, reason, expires }) {
    if ((subject === undefined) === (registry === undefined)) {
      throw new LarderError("E_INPUT", "Give either a package or --registry HOST.");
    }
    const { client } = await connect(context);
    const waiver: NewWaiver = {
      rule,
      reason,
      ...(subject === undefined ? {} : parseSubject(subject)),
      ...(registry === undefined ? {} : { registry }),
      ...(expires === undefined ? {} : { expiresInMs: expires }),
    };
    const added = await client.waivers.add({ environment: context.settings.environment, waiver });
    return {
      json: added,
      text: `${added.rule} is waived for ${subjectOf(added)}. It holds from the next install on: larder plan`,
    };
  },
});

export const waiversRemove = defineCommand<[id: string]>({
  description: "What it let in stays until the next install, which is refused if nothing else will do.",
  examples: ["waivers remove 1f2e3d4c --yes"],
  args: { id: "the waiver's id, or how it begins; see `larder waivers list`" },
  async run(context, [given]) {
    const { client } = await connect(context);
    const { environment } = context.settings;
    const known = await client.waivers.list({ environment });
    const id = completeId(
      given,
      known.map((waiver) => waiver.id),
    );
    const found = known.find((waiver) => waiver.id === id);
    if (found) await confirm(context, `End the waiver of ${found.rule} for ${subjectOf(found)}`);
    const removed = await client.waivers.remove({ environment, id });
    return { json: removed, text: `${removed.rule} holds for ${subjectOf(removed)} again.` };
  },
});

const subjectOf = ({ name, range, registry }: Waiver): string =>
  name === undefined ? `all of ${registry}` : `${name}${range === undefined ? "" : `@${range}`}`;
