import { useState } from "react";
import { formatPlatform, type Host } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import { useMay } from "../../api/session.ts";
import { Bar } from "../../ui/bar.tsx";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { formatBytes, shortHash } from "../../ui/format.ts";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { Ago } from "../../ui/time.tsx";
import { useChange } from "../../ui/use-change.ts";

export function HostSheet({ host, wanted, onClose }: { host: Host; wanted: number; onClose(): void }) {
  const mayOperate = useMay("operate");
  const mayAdminister = useMay("administer");
  const [revoking, setRevoking] = useState(false);
  const reconcile = useChange(() => api.hosts.reconcile({ id: host.id }), {
    stale: [keys.hosts],
    done: () => `Woke ${host.id}`,
  });
  const { error, progress } = host;
  return (
    <Dialog
      open
      onClose={onClose}
      shape="sheet"
      title={host.id}
      footer={
        mayOperate && (
          <>
            {mayAdminister && (
              <Button icon="trash" onClick={() => setRevoking(true)}>
                Revoke …
              </Button>
            )}
            <Button icon="refresh" busy={reconcile.isPending} onClick={() => reconcile.mutate(undefined)}>
              Reconcile now
            </Button>
          </>
        )
      }
    >
      {error ? <ErrorNotice error={error} /> : host.reason && <Notice tone="warn">{host.reason}</Notice>}
      {progress && (
        <div className="stack tight">
          <Bar
            label={`${host.id} progress`}
            done={progress.doneBytes ?? progress.done}
            total={progress.totalBytes ?? progress.total}
          />
          <p className="soft">{[progress.phase, progress.subject].filter(Boolean).join(" · ")}</p>
        </div>
      )}
      <Facts host={host} wanted={wanted} />
      <RevokeDialog id={host.id} open={revoking} onClose={() => setRevoking(false)} onRevoked={onClose} />
    </Dialog>
  );
}

function Facts({ host, wanted }: { host: Host; wanted: number }) {
  const facts: [string, React.ReactNode][] = [
    ["Serves", host.generation === 0 ? "nothing yet" : `generation ${host.generation}`],
    ["Wanted", wanted === 0 ? "nothing yet" : `generation ${wanted}`],
    ["Last seen", host.lastSeenAt ? <Ago key="seen" at={host.lastSeenAt} /> : "never"],
    ["Enrolled", <Ago key="enrolled" at={host.createdAt} />],
    ["Platform", host.platform ? formatPlatform(host.platform) : "not told yet"],
    ["Agent", host.agentVersion ?? "not told yet"],
    ["Runs under way", host.runsInFlight],
    ["Free space", host.freeBytes === undefined ? "not told" : formatBytes(host.freeBytes)],
    ["Tree", host.lockfileHash ? <code key="tree">{shortHash(host.lockfileHash)}</code> : "–"],
  ];
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name} className="fact">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function RevokeDialog({ id, open, onClose, onRevoked }: { id: string; open: boolean; onClose(): void; onRevoked(): void }) {
  const revoke = useChange(() => api.hosts.revoke({ id }), { stale: [keys.hosts], done: () => `Revoked ${id}`, quiet: true });
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={`Revoke ${id}?`}
      action="Revoke"
      danger
      busy={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoke.mutate(undefined, { onSuccess: onRevoked })}
    >
      <p className="soft">
        From now on it gets nothing from here. Scripts on that machine can go on with the packages that it has. To come back it
        must be enrolled again.
      </p>
    </Confirm>
  );
}
