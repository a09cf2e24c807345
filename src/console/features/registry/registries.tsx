import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Registry } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Loaded } from "../../ui/loading.tsx";
import { RegistryDialog } from "./registry-dialog.tsx";
import { TestDialog } from "./test-dialog.tsx";

const registriesKey = ["registries"] as const;

export function Registries() {
  const mayAdminister = useMay("administer");
  const query = useQuery({
    queryKey: registriesKey,
    queryFn: ({ signal }) => api.registries.list(undefined, { signal }),
    enabled: useMay("look"),
  });
  const [editing, setEditing] = useState<Registry | "new">();
  const [testing, setTesting] = useState<Registry>();
  return (
    <section className="card" aria-labelledby="registries">
      <div className="card-head">
        <h2 id="registries" className="grow">
          Registries
        </h2>
        {mayAdminister && (
          <Button small icon="plus" onClick={() => setEditing("new")}>
            Add a registry
          </Button>
        )}
      </div>
      <Loaded query={query}>
        {(registries) => (
          <ul>
            {registries.map((registry) => (
              <li key={registry.name} className="registry">
                <div className="grow">
                  <p className="row wrap">
                    <span className="strong">{registry.name}</span>
                    <Badge tone={registry.hasToken ? "good" : "none"}>
                      {registry.hasToken ? `${registry.auth} credentials` : "no credentials"}
                    </Badge>
                  </p>
                  <p className="soft break">{registry.url}</p>
                  <p className="faint break">{servesOf(registry)}</p>
                </div>
                {mayAdminister && (
                  <div className="row">
                    <Button small icon="bolt" onClick={() => setTesting(registry)}>
                      Test
                    </Button>
                    <Button small onClick={() => setEditing(registry)}>
                      Edit
                    </Button>
                  </div>
                )}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
      {editing && <RegistryDialog registry={editing === "new" ? undefined : editing} onClose={() => setEditing(undefined)} />}
      {testing && <TestDialog name={testing.name} onClose={() => setTesting(undefined)} />}
    </section>
  );
}

const servesOf = ({ name, scopes, names }: Registry): string =>
  [...scopes, ...names].join(", ") ||
  (name === "default" ? "Every package that no other registry claims" : "Nothing yet: give it scopes or names");
