import { api } from "../api/client.ts";
import { useEnvironment } from "../api/environment.ts";
import { keys } from "../api/queries.ts";
import { useChange } from "./use-change.ts";

export function useInstall() {
  const environment = useEnvironment();
  return useChange(() => api.installs.start({ environment }), {
    stale: [keys.operations],
    done: ({ joined }) => (joined ? "An install is under way already" : "Install started"),
  });
}
