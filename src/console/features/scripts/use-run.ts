import { useMutation } from "@tanstack/react-query";
import { api } from "../../api/client.ts";

/** One script on one host; the answer is as long in coming as it runs. */
export const useRun = () =>
  useMutation({
    mutationFn: ({ id, script }: { id: string; script: string }) => api.hosts.run({ id, script, name: "script.ts" }),
  });
export type Run = ReturnType<typeof useRun>;
