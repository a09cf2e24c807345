import { Suspense, useEffect } from "react";
import { Redirect, Route, Switch, useParams } from "wouter";
import { EnvironmentContext, rememberEnvironment, rememberedEnvironment } from "../api/environment.ts";
import { LivenessContext, useLiveUpdates } from "../api/live.ts";
import { useSession } from "../api/session.ts";
import { Button } from "../ui/button.tsx";
import { ErrorNotice } from "../ui/notice.tsx";
import { pages } from "./pages.ts";
import { Shell } from "./shell.tsx";
import { SignIn } from "./sign-in.tsx";

/** Signed in or not comes first; then the environment, which is the first part of the address. */
export function App() {
  const session = useSession();
  if (session.data === undefined) {
    if (!session.isError) return null;
    return (
      <main className="alone">
        <ErrorNotice error={session.error} action={<Button onClick={() => void session.refetch()}>Try again</Button>} />
      </main>
    );
  }
  if (session.data === null) return <SignIn />;
  return (
    <Switch>
      <Route path="/:environment/:page">
        <InEnvironment />
      </Route>
      <Route>
        <Redirect to={`/${rememberedEnvironment()}/packages`} replace />
      </Route>
    </Switch>
  );
}

function InEnvironment() {
  const { environment = "", page } = useParams();
  const liveness = useLiveUpdates();
  useEffect(() => rememberEnvironment(environment), [environment]);
  const found = pages.find(({ path }) => path === page);
  return (
    <EnvironmentContext value={environment}>
      <LivenessContext value={liveness}>
        <Shell current={found}>
          <Suspense>{found ? <found.Content key={environment} /> : <NotFound />}</Suspense>
        </Shell>
      </LivenessContext>
    </EnvironmentContext>
  );
}

const NotFound = () => (
  <ErrorNotice error={{ code: "E_NOT_FOUND", message: "There is no such page.", hint: "Choose one from the list." }} />
);
