import { environmentNameSchema, LarderError } from "../../contract/index.ts";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { formatAgo } from "../render/quantity.ts";
import { renderTable } from "../render/table.ts";

export const environmentsList = defineCommand({
  name: "environments list",
  summary: "List environments",
  examples: ["environments list"],
  async run(context) {
    const { client } = await connect(context);
    const environments = await client.environments.list();
    return {
      json: environments,
      text: (page) =>
        renderTable(
          [{ title: "name", shrinkTo: 16 }, { title: "generation", align: "right" }, { title: "created" }],
          environments.map(({ name, generation, createdAt }) => [
            name,
            generation === 0 ? "none" : generation,
            formatAgo(createdAt),
          ]),
          page,
        ),
    };
  },
});

export const environmentsCreate = defineCommand<[name: string]>({
  name: "environments create",
  summary: "Create an environment",
  examples: ["environments create staging"],
  configure: (command) => void command.argument("<name>", "lower-case letters, digits and '-'"),
  async run(context, [given]) {
    const name = environmentNameSchema.safeParse(given);
    if (!name.success) {
      throw new LarderError("E_INPUT", `${JSON.stringify(given)} is not a name for an environment.`, {
        hint: "Use 1 to 64 lower-case letters, digits and '-'.",
      });
    }
    const { client } = await connect(context);
    const made = await client.environments.create({ name: name.data });
    return { json: made, text: `Created ${made.name}. Fill it: larder add NAME --environment ${made.name}` };
  },
});
