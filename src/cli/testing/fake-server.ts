import { OpenAPIHandler } from "@orpc/openapi/fetch";
import type { GenerationDiff, Host, LarderError, Operation, OperationOf, PackageEntry } from "../../contract/index.ts";
import { environment, succeeded } from "./fake-answers.ts";
import { routerOver } from "./fake-router.ts";

type Install = OperationOf<"install">;

/** What the fake knows; tests change it. `steps` is what an install's operation says, poll after poll; the last one stays. */
export interface FakeState {
  packages: PackageEntry[];
  installDue: boolean;
  generation: number;
  hosts: Host[];
  steps: Install[];
  joined: boolean;
  operations: Operation[];
  diff: GenerationDiff;
  /** Every call, as `path input`. */
  calls: string[];
  tokensSeen: (string | undefined)[];
  failWith?: LarderError;
  /** Called while a version is revoked; it is not answered then. */
  onRevoke?: () => void;
}

export interface FakeServer extends AsyncDisposable {
  url: URL;
  state: FakeState;
}

const size = { nodes: 3, packedBytes: 120_000, unpackedBytes: 400_000 };
const noBytes = { addedBytes: 0, addedUnpackedBytes: 0, removedBytes: 0, sizes: { from: size, to: size } };

/** A server that speaks the contract, with no more behind it than what the tests of commands look at. */
export function startFakeServer(overrides: Partial<FakeState> = {}): FakeServer {
  const state: FakeState = {
    packages: [],
    installDue: false,
    generation: 2,
    hosts: [],
    steps: [succeeded("op_1")],
    joined: false,
    operations: [],
    diff: { environment, from: 1, to: 2, changes: [], ...noBytes },
    calls: [],
    tokensSeen: [],
    ...overrides,
  };
  const handler = new OpenAPIHandler(routerOver(state), {
    customErrorResponseBodyEncoder: (error) => error.data ?? { code: "E_INPUT", message: error.message },
  });
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      state.tokensSeen.push(request.headers.get("authorization") ?? undefined);
      const { response } = await handler.handle(request, { prefix: "/api", context: {} });
      return response ?? new Response("<h1>not found</h1>", { status: 404, headers: { "content-type": "text/html" } });
    },
  });
  return { url: server.url, state, [Symbol.asyncDispose]: () => server.stop(true) };
}
