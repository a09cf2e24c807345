import { describe, expect, test } from "bun:test";
import type { ExactVersion, Extension, PackageName } from "../contract/index.ts";
import { createExtender } from "./extensions.ts";

const n = (text: string) => text as PackageName;
const v = (text: string) => text as ExactVersion;
const own: Extension = {
  name: n("a"),
  range: "^1.0.0",
  dependencies: { [n("lodash")]: "^4.0.0" },
  peerDependencies: { [n("react")]: "*" },
};

describe("undeclared dependencies", () => {
  test("of an environment's own list are added to the versions that they are for", () => {
    const extend = createExtender({ extensions: [own], knownExtensions: false });
    expect(extend(n("a"), v("1.5.0"), {})).toEqual([
      { name: n("a"), version: v("1.5.0"), dependency: n("lodash"), range: "^4.0.0", kind: "dependency", source: "policy" },
      { name: n("a"), version: v("1.5.0"), dependency: n("react"), range: "*", kind: "peer", source: "policy" },
    ]);
    expect(extend(n("a"), v("2.0.0"), {})).toEqual([]);
    expect(extend(n("b"), v("1.5.0"), {})).toEqual([]);
  });

  test("are not added where they are declared; an own one also wins over a peer", () => {
    const extend = createExtender({ extensions: [own], knownExtensions: false });
    const added = (declared: Parameters<typeof extend>[2]) =>
      extend(n("a"), v("1.0.0"), declared).map(({ dependency }) => dependency as string);
    expect(added({ dependencies: { lodash: "3", react: "1" } })).toEqual([]);
    expect(added({ optionalDependencies: { lodash: "3" }, peerDependencies: { react: "1" } })).toEqual([]);
    expect(added({ peerDependencies: { lodash: "4", react: "1" } })).toEqual(["lodash"]);
  });

  test("that are widely known are added unless the policy says no", () => {
    const known = (knownExtensions: boolean) =>
      createExtender({ extensions: [], knownExtensions })(n("@fullhuman/postcss-purgecss"), v("3.1.3"), {});
    expect(known(true)).toMatchObject([{ dependency: "postcss", kind: "peer", source: "known" }]);
    expect(known(false)).toEqual([]);
  });
});
