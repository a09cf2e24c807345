import { type EnvironmentPolicy, LarderError, type PolicyTest } from "../../contract/index.ts";
import { type CommandContext, defineCommand, type Page } from "../command.ts";
import { confirm } from "../confirm.ts";
import { connect } from "../connection.ts";
import { addPolicyOptions, type PolicyOptions, policyChangeFrom } from "../policy-options.ts";
import { renderFindings, renderPlan } from "../render/plan.ts";
import { renderPolicy } from "../render/policy.ts";

export const policyGet = defineCommand({
  examples: ["policy get", "policy get --environment staging --json"],
  async run(context) {
    const { client } = await connect(context);
    const found = await client.policy.get({ environment: context.settings.environment });
    return { json: found, text: (page) => renderPolicy(found, page) };
  },
});

export const policySet = defineCommand<[], PolicyOptions>({
  description:
    "What is not named stays as it is. The change holds from the next install on; what hosts serve stays until then. See first what it would refuse: larder policy test, with the same options.",
  examples: [
    "policy set --release-age 7d --deprecated refuse",
    "policy set --block event-stream@3.3.6",
    "policy set --block-packed 500MB",
  ],
  configure: addPolicyOptions,
  async run(context, _args, options) {
    const { client, input } = await readChange(context, options);
    if (options.reset) await confirm(context, `Reset the policy of ${input.environment} to the default`);
    const stored = await client.policy.set(input);
    return { json: stored, text: (page) => `${renderPolicy(stored, page)}\n\nIt holds from the next install on: larder plan` };
  },
});

export const policyTest = defineCommand<[], PolicyOptions>({
  description:
    "Judges what the current generation holds and the allowlist names, and plans an install, as if the policy were changed. Changes nothing.",
  examples: ["policy test --deprecated refuse", "policy test --release-age 14d --install-scripts refuse --json"],
  configure: addPolicyOptions,
  async run(context, _args, options) {
    const { client, input } = await readChange(context, options);
    const tested = await client.policy.test(input);
    return { json: tested, text: (page) => renderTest(tested, page) };
  },
});

async function readChange(context: CommandContext, options: PolicyOptions) {
  const { client } = await connect(context);
  const { environment } = context.settings;
  const reset = options.reset === true;
  const current: EnvironmentPolicy = await client.policy.get({ environment });
  const change = await policyChangeFrom(options, current.policy);
  if (Object.keys(change).length > 0 || reset) return { client, input: { environment, change, reset } };
  throw new LarderError("E_INPUT", "No change of the policy was given.", {
    hint: "`larder policy set --help` lists what can be.",
  });
}

function renderTest({ refused, flagged, released, plan }: PolicyTest, page: Page): string {
  const fresh = refused.filter(({ already }) => !already);
  const still = refused.filter(({ already }) => already);
  const parts = [
    fresh.length === 0
      ? `${page.style.green("✔")} Nothing that is in use would be newly refused.`
      : renderFindings("Would be refused", fresh, page),
    renderFindings("Refused already", still, page),
    renderFindings("Would be let in", released, page),
    renderFindings("Would be flagged", flagged, page),
    `${page.style.bold("An install then:")}\n${renderPlan(plan, page)}`,
  ];
  return parts.filter((text) => text !== "").join("\n\n");
}
