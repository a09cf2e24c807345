import { expect, test } from "bun:test";
import { onBothDatabases } from "../../test/harness/on-both-databases.ts";
import { ensureActiveStore, getActiveStore, setActiveStore } from "./active-store.ts";

onBothDatabases("the active store", ({ db }) => {
  test("is what the first server was configured with, until a migration moves it", async () => {
    const tx = db().query;
    expect(await getActiveStore(tx)).toBeUndefined();
    const answers = await Promise.all(["fs", "s3", "postgres"].map((name) => ensureActiveStore(tx, name)));
    expect(new Set(answers).size).toBe(1);
    await setActiveStore(tx, "s3");
    expect(await ensureActiveStore(tx, "fs")).toBe("s3");
    expect(await getActiveStore(tx)).toBe("s3");
  });
});
