import type { Allowlist } from "../../contract/index.ts";
import { defineCommand, type Page } from "../command.ts";
import { connect } from "../connection.ts";
import { count, formatAgo } from "../render/quantity.ts";
import { renderTable } from "../render/table.ts";

export const list = defineCommand({
  examples: ["list", "list --json | jq -r '.packages[].name'"],
  async run(context) {
    const { client } = await connect(context);
    const allowlist = await client.packages.list({ environment: context.settings.environment });
    return { json: allowlist, text: (page) => renderAllowlist(allowlist, page) };
  },
});

function renderAllowlist({ packages, installDue }: Allowlist, page: Page): string {
  if (packages.length === 0 && !installDue) return "The allowlist is empty. Put a package on it: larder add NAME[@VERSION]";
  const table = renderTable(
    [
      { title: "name", shrinkTo: 16 },
      { title: "version", shrinkTo: 8 },
      { title: "state" },
      { title: "added" },
      { title: "by", shrinkTo: 6 },
    ],
    packages.map((entry) => [
      entry.name,
      entry.version,
      entry.enabled ? { text: "enabled", paint: "green" } : { text: "disabled", paint: "yellow" },
      formatAgo(entry.addedAt),
      entry.addedBy,
    ]),
    page,
  );
  const disabled = packages.filter((entry) => !entry.enabled).length;
  const sum = `${count(packages.length, "package")}${disabled === 0 ? "" : `, ${disabled} of them disabled`}.`;
  const due = installDue ? ` ${page.style.yellow("An install is due:")} larder install` : "";
  return packages.length === 0 ? `The allowlist is empty.${due}` : `${table}\n\n${sum}${due}`;
}
