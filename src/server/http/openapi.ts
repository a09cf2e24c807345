import { type ConditionalSchemaConverter, OpenAPIGenerator } from "@orpc/openapi";
import { ZodToJsonSchemaConverter } from "@orpc/zod/zod4";
import { contract, errorBodySchema } from "../../contract/index.ts";
import { rawPaths } from "./openapi-raw-paths.ts";

/** The OpenAPI 3.1 document of the whole API as JSON text, from the contract. */
export async function createOpenApiDocument(version: string): Promise<string> {
  const zod = new ZodToJsonSchemaConverter();
  // The contract's transforms only brand, so what goes in describes what comes out; the converter says nothing of a transform's result.
  const converter: ConditionalSchemaConverter = {
    condition: (schema) => zod.condition(schema),
    convert: (schema, options) => zod.convert(schema, { ...options, strategy: "input" }),
  };
  const [, errorSchema] = await converter.convert(errorBodySchema, { strategy: "output" });
  const generator = new OpenAPIGenerator({ schemaConverters: [converter] });
  const document = await generator.generate(contract, {
    info: {
      title: "Larder",
      version,
      description: "Keeps every host that runs user-written scripts stocked with the same npm packages.",
    },
    servers: [{ url: "/api" }],
    security: [{ bearer: [] }],
    components: {
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description:
            "A token: `ldr_<role>_<secret>`. Hosts send `LarderHost …` instead, signed with their key; see docs/hosts.md.",
        },
      },
      // oRPC's own type of a schema and the document's differ in name only.
      schemas: { Error: errorSchema as object },
    },
  });
  const error = {
    description: "Refused or failed",
    content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
  };
  for (const path of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(path ?? {})) {
      if (typeof operation === "object" && "responses" in operation)
        operation.responses = { ...operation.responses, default: error };
      if (typeof operation === "object" && "parameters" in operation)
        for (const parameter of operation.parameters ?? []) describeRepetition(parameter);
    }
  }
  return JSON.stringify({ ...document, paths: { ...document.paths, ...rawPaths(error) } });
}

/** What may be given several times is repeated in the query: `state=behind&state=failing`. The generator takes it for an object with names in brackets. */
function describeRepetition(parameter: object & { in?: string; style?: string; schema?: unknown }): void {
  const { anyOf } = (parameter.schema ?? {}) as { anyOf?: { type?: string }[] };
  if (parameter.in === "query" && anyOf?.some(({ type }) => type === "array")) parameter.style = "form";
}
