import { CSPProvider } from "@base-ui/react/csp-provider";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { config } from "zod";
import { hasCode } from "../../contract/index.ts";
import { keys } from "../api/queries.ts";
import "../ui/tokens.css";
import "../ui/base.css";
import "../ui/controls.css";
import "../ui/surfaces.css";
import "../ui/table.css";
import "./app.css";
import { Toasts } from "../ui/toast.tsx";
import { App } from "./app.tsx";
import { applyTheme } from "./theme.ts";

// It would try `new Function`, which the content security policy reports as an attempt.
config({ jitless: true });
applyTheme();

// A session that has ended shows at the first call that is refused.
const onError = (error: Error) => {
  if (hasCode(error, "E_UNAUTHENTICATED")) queries.setQueryData(keys.session, null);
};
const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // A refusal stays one; who does not answer may in a moment.
      retry: (failures, error) => failures < 2 && hasCode(error, "E_SERVER_UNREACHABLE"),
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queries}>
        <Toasts>
          <App />
        </Toasts>
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
