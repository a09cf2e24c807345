import { type FormEvent, useState } from "react";
import type { Registry } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { SelectField, TextField } from "../../ui/field.tsx";
import { ErrorNotice } from "../../ui/notice.tsx";
import { useChange } from "../../ui/use-change.ts";

const registriesKey = ["registries"] as const;
const words = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

/** A token goes in and never comes out: what is left empty stays as it is. */
export function RegistryDialog({ registry, onClose }: { registry: Registry | undefined; onClose(): void }) {
  const [name, setName] = useState(registry?.name ?? "");
  const [url, setUrl] = useState(registry?.url ?? "https://");
  const [claims, setClaims] = useState([...(registry?.scopes ?? []), ...(registry?.names ?? [])].join(" "));
  const [auth, setAuth] = useState<Registry["auth"]>(registry?.auth ?? "none");
  const [username, setUsername] = useState("");
  const [secret, setSecret] = useState("");
  const save = useChange(
    () => api.registries.set({ name, url, ...claimsOf(claims), ...authOf({ auth, username, secret }, registry) }),
    {
      stale: [registriesKey],
      done: (saved) => `Saved ${saved.name}`,
      quiet: true,
    },
  );
  const remove = useChange(() => api.registries.remove({ name }), {
    stale: [registriesKey],
    done: () => `Removed ${name}`,
    quiet: true,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(undefined, { onSuccess: onClose });
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={registry ? `Registry ${registry.name}` : "Add a registry"}
      footer={
        <>
          {registry?.source === "stored" && (
            <Button icon="trash" busy={remove.isPending} onClick={() => remove.mutate(undefined, { onSuccess: onClose })}>
              Remove
            </Button>
          )}
          <Button type="submit" form="registry" look="primary" busy={save.isPending} disabled={name === ""}>
            Save
          </Button>
        </>
      }
    >
      <form id="registry" className="stack" onSubmit={submit}>
        {!registry && (
          <TextField label="Name" autoFocus placeholder="acme" value={name} onChange={({ target }) => setName(target.value)} />
        )}
        <TextField label="Address" type="url" value={url} onChange={({ target }) => setUrl(target.value)} />
        {name !== "default" && (
          <TextField
            label="Scopes and names"
            placeholder="@acme acme-*"
            value={claims}
            onChange={({ target }) => setClaims(target.value)}
            hint="Asked for here and nowhere else."
          />
        )}
        <SelectField label="Credentials" value={auth} onChange={({ target }) => setAuth(target.value as Registry["auth"])}>
          <option value="none">none</option>
          <option value="bearer">token</option>
          <option value="basic">user and password</option>
        </SelectField>
        {auth === "basic" && <TextField label="User" value={username} onChange={({ target }) => setUsername(target.value)} />}
        {auth !== "none" && (
          <TextField
            label={auth === "bearer" ? "Token" : "Password"}
            type="password"
            autoComplete="new-password"
            placeholder={registry?.hasToken ? "stays as it is" : ""}
            value={secret}
            onChange={({ target }) => setSecret(target.value)}
            hint="Kept sealed, sent to this registry alone, never shown again."
          />
        )}
        {(save.error ?? remove.error) && <ErrorNotice error={save.error ?? remove.error} />}
      </form>
    </Dialog>
  );
}

const claimsOf = (text: string) => ({
  scopes: words(text).filter((word) => word.startsWith("@") && !word.includes("/")),
  names: words(text).filter((word) => !word.startsWith("@") || word.includes("/")),
});

/** An empty secret keeps the one that is there; another kind of credentials needs a new one. */
function authOf(
  { auth, username, secret }: { auth: Registry["auth"]; username: string; secret: string },
  before: Registry | undefined,
) {
  if (auth === "none") return before?.auth === "none" || before === undefined ? {} : { auth: { type: "none" as const } };
  if (secret === "" && before?.auth === auth) return {};
  return { auth: auth === "bearer" ? { type: auth, token: secret } : { type: auth, username, password: secret } };
}
