import { type FormEvent, useEffect, useState } from "react";
import { useSignIn } from "../api/session.ts";
import { Button } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { ErrorNotice } from "../ui/notice.tsx";
import { Mark } from "./mark.tsx";

/** A token for a session: the cookie is out of reach of scripts, this page's own included. */
export function SignIn() {
  const [token, setToken] = useState("");
  const signIn = useSignIn();
  useEffect(() => {
    document.title = "Sign in · Larder";
  }, []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate(token.trim());
  };
  return (
    <main className="alone">
      <Mark />
      <form className="card card-body stack" onSubmit={submit}>
        <h1>Sign in</h1>
        <TextField
          label="Token"
          type="password"
          name="token"
          autoFocus
          autoComplete="current-password"
          placeholder="ldr_admin_…"
          value={token}
          onChange={(event) => setToken(event.target.value)}
          hint={
            <>
              An admin or author token. The first admin's is in <code>control/admin-token</code> of the data directory.
            </>
          }
        />
        {signIn.isError && <ErrorNotice error={signIn.error} />}
        <Button type="submit" look="primary" busy={signIn.isPending} disabled={token.trim() === ""}>
          Sign in
        </Button>
      </form>
    </main>
  );
}
