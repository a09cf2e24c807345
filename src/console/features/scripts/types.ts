import { keepPreviousData, type QueryClient, queryOptions } from "@tanstack/react-query";
import {
  errorBodySchema,
  LarderError,
  rawRoutes,
  type TypesBundle,
  type TypesIndex,
  typesBundleSchema,
  typesIndexSchema,
} from "../../../contract/index.ts";

/** While declarations are being cut, the answer is not final. */
const askAgainMs = 1500;
/** As many as one question may name. */
const mostSpecifiers = 50;

/** What the specifiers of a script come to, in the present generation. */
export const typesQuery = (environment: string, specifiers: string[]) =>
  queryOptions({
    queryKey: ["types", environment, ...specifiers],
    queryFn: async ({ signal }): Promise<TypesIndex> => {
      const query = new URLSearchParams(specifiers.slice(0, mostSpecifiers).map((specifier) => ["specifier", specifier]));
      return typesIndexSchema.parse(await getJson(`${rawRoutes.types(environment)}?${query}`, signal));
    },
    enabled: specifiers.length > 0,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.final === false ? askAgainMs : false),
  });

/** The declarations that an index names: text by path. Each bundle is fetched once, it never changes. */
export async function readDeclarations(queries: QueryClient, index: TypesIndex): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  await Promise.all(
    index.packages.map(async ({ path, bundle, files: wanted }) => {
      const { files: places, texts } = await queries.ensureQueryData(bundleQuery(index.environment, bundle));
      for (const file of wanted) {
        const text = texts[places[file] ?? -1];
        if (text !== undefined) files.set(`${path}/${file}`, text);
      }
    }),
  );
  return files;
}

const bundleQuery = (environment: string, bundle: string) =>
  queryOptions({
    queryKey: ["types-bundle", environment, bundle],
    queryFn: async ({ signal }): Promise<TypesBundle> =>
      typesBundleSchema.parse(await getJson(rawRoutes.typesBundle(environment, bundle), signal)),
    staleTime: Number.POSITIVE_INFINITY,
  });

async function getJson(address: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(address, { signal });
  const body: unknown = await response.json();
  if (response.ok) return body;
  const error = errorBodySchema.safeParse(body);
  throw error.success
    ? LarderError.fromBody(error.data)
    : new LarderError("E_SERVER_UNREACHABLE", "The types could not be read.");
}
