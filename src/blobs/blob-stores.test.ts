import { expect, test } from "bun:test";
import { createBlobStores } from "./blob-stores.ts";
import { createMemoryBlobStore } from "./drivers/memory.ts";

test("a store is opened when it is first asked for, once for all who ask, and closed with the others", async () => {
  const log: string[] = [];
  const open = (name: string) => async () => {
    log.push(`open ${name}`);
    return { ...createMemoryBlobStore(), name, [Symbol.asyncDispose]: async () => void log.push(`close ${name}`) };
  };
  const stores = createBlobStores({ a: open("a"), b: open("b"), c: open("c") });
  expect([stores.names, log]).toEqual([["a", "b", "c"], []]);
  const [first, second] = await Promise.all([stores.open("a"), stores.open("a")]);
  expect(first).toBe(second);
  await stores.open("c");
  await stores[Symbol.asyncDispose]();
  await stores[Symbol.asyncDispose]();
  expect(log).toEqual(["open a", "open c", "close a", "close c"]);
});

test("one that could not be opened is tried again", async () => {
  let tries = 0;
  const stores = createBlobStores({
    flaky: async () => {
      if (++tries === 1) throw new Error("not yet");
      return { ...createMemoryBlobStore(), name: "flaky" };
    },
  });
  await expect(stores.open("flaky")).rejects.toThrow("not yet");
  expect((await stores.open("flaky")).name).toBe("flaky");
});

test("a name that is none, and a driver that calls itself otherwise, are refused", async () => {
  const stores = createBlobStores({ tape: async () => createMemoryBlobStore() });
  await expect(stores.open("constructor")).rejects.toMatchObject({ code: "E_INPUT", hint: expect.stringContaining("tape") });
  await expect(stores.open("tape")).rejects.toMatchObject({ code: "E_CONFIG", message: expect.stringContaining('"memory"') });
});
