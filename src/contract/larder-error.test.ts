import { expect, test } from "bun:test";
import { exitCodeOf, httpStatusOf } from "./error-codes.ts";
import { hasCode, LarderError } from "./larder-error.ts";

test("an error goes to its wire form and back", () => {
  const error = new LarderError("E_VERSION_NOT_FOUND", "ms has no version 9.9.9.", {
    hint: "Newest: 2.1.3.",
    details: { name: "ms" },
  });
  const back = LarderError.fromBody(JSON.parse(JSON.stringify(error.toBody())));
  expect(back.toBody()).toEqual(error.toBody());
  expect(hasCode(back, "E_VERSION_NOT_FOUND")).toBe(true);
  expect([httpStatusOf(back.code), exitCodeOf(back.code)]).toEqual([422, 6]);
});

test("credentials are cut when an error is made", () => {
  const secret = "s3cr3tS3cr3tS3cr3t";
  const message = `GET https://joe:${secret}@registry.example/x with Bearer ${secret} and ldr_admin_${secret}`;
  const error = new LarderError("E_REGISTRY_UNREACHABLE", message, { hint: message });
  expect(JSON.stringify(error.toBody())).not.toContain(secret);
});

test("whatever was thrown becomes a coded error, an abort is a cancellation", () => {
  expect(LarderError.from(new DOMException("x", "AbortError")).code).toBe("E_CANCELLED");
  expect(LarderError.from("odd").code).toBe("E_INTERNAL");
  expect(LarderError.fromBody({ code: "E_FROM_THE_FUTURE", message: "m" }).code).toBe("E_INTERNAL");
});

test("a NUL in a name is shown, so that any database can keep the error", () => {
  const error = new LarderError("E_ARCHIVE", "entry a\0b", { details: { entry: "a\0b" } });
  expect(JSON.stringify(error.toBody())).not.toContain("u0000");
  expect(error.toBody()).toMatchObject({ message: "entry a␀b", details: { entry: "a␀b" } });
});
