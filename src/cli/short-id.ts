import { LarderError } from "../contract/bare.ts";
import type { Id } from "../contract/for-hosts.ts";

/** `op-1f2e3d4c` of `op-1f2e3d4c-…`: what people see of ids that nobody chose, and may type. */
export const shortId = (id: Id): string => /^[a-z]+-[0-9a-f]{8}(?=-)/.exec(id)?.[0] ?? id;

/** The id of `known` that `given` is, or begins. What begins none is given back, for the server to judge; `E_INPUT` when it begins several. */
export function completeId(given: string, known: Id[]): Id {
  if (known.includes(given)) return given;
  const matches = known.filter((id) => id.startsWith(given));
  if (matches.length < 2) return matches[0] ?? given;
  throw new LarderError("E_INPUT", `${matches.length} ids begin with ${JSON.stringify(given)}.`, {
    hint: "Give more of it; --json shows ids in full.",
  });
}
