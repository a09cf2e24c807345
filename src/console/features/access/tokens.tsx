import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Token } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { useMay, useSession } from "../../api/session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { Loaded } from "../../ui/loading.tsx";
import { Ago } from "../../ui/time.tsx";
import { useChange } from "../../ui/use-change.ts";
import { NewToken } from "./new-token.tsx";

export function Tokens() {
  const mayAdminister = useMay("administer");
  const own = useSession().data?.tokenId;
  const query = useQuery({
    queryKey: ["tokens"],
    queryFn: ({ signal }) => api.tokens.list(undefined, { signal }),
    enabled: useMay("look"),
  });
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Token>();
  return (
    <section className="card" aria-labelledby="tokens">
      <div className="card-head">
        <h2 id="tokens" className="grow">
          Tokens
        </h2>
        {mayAdminister && (
          <Button small icon="plus" onClick={() => setMaking(true)}>
            New token
          </Button>
        )}
      </div>
      <Loaded query={query}>
        {(tokens) => (
          <ul>
            {tokens
              .filter(({ role }) => role !== "host")
              .map((token) => (
                <li key={token.id} className="access-item">
                  <span className="grow break">
                    <span className="strong">{token.subject}</span> <Badge>{token.role}</Badge>{" "}
                    {token.id === own && <Badge tone="good">this session</Badge>}
                  </span>
                  <span className="faint">
                    {token.lastUsedAt ? (
                      <>
                        used <Ago at={token.lastUsedAt} />
                      </>
                    ) : (
                      "never used"
                    )}
                  </span>
                  {mayAdminister && (
                    <Button small aria-label={`Revoke the token of ${token.subject}`} onClick={() => setRevoking(token)}>
                      Revoke
                    </Button>
                  )}
                </li>
              ))}
          </ul>
        )}
      </Loaded>
      {making && <NewToken onClose={() => setMaking(false)} />}
      {revoking && <Revoke token={revoking} onClose={() => setRevoking(undefined)} />}
    </section>
  );
}

function Revoke({ token: { id, subject, role }, onClose }: { token: Token; onClose(): void }) {
  const revoke = useChange(() => api.tokens.revoke({ id }), {
    stale: [["tokens"], ["audit"]],
    done: () => `Revoked the token of ${subject}`,
    quiet: true,
  });
  return (
    <Confirm
      open
      onClose={onClose}
      title={`Revoke the ${role} token of ${subject}?`}
      action="Revoke"
      danger
      busy={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoke.mutate(undefined, { onSuccess: onClose })}
    >
      <p className="soft">It is refused from the next call on, and whoever signed in with it is signed out.</p>
    </Confirm>
  );
}
