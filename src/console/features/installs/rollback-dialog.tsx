import type { Generation } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { useEnvironment } from "../../api/environment.ts";
import { keys } from "../../api/queries.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { useChange } from "../../ui/use-change.ts";
import { Diff } from "./diff.tsx";

interface RollbackDialogProps {
  target: Generation;
  current: Generation;
  onClose(): void;
}

export function RollbackDialog({ target, current, onClose }: RollbackDialogProps) {
  const environment = useEnvironment();
  const rollback = useChange(() => api.generations.rollback({ environment, number: target.number }), {
    stale: [keys.generations(environment), keys.packages(environment), keys.operations],
    done: ({ number }) => `Generation ${number} has the packages of ${target.number}`,
    quiet: true,
  });
  return (
    <Confirm
      open
      onClose={onClose}
      title={`Roll back to generation ${target.number}`}
      action="Roll back"
      busy={rollback.isPending}
      error={rollback.error}
      onConfirm={() => rollback.mutate(undefined, { onSuccess: onClose })}
    >
      <p className="soft">
        Makes a new generation with those packages; every host converges to it, mostly without fetching anything. The allowlist
        stays as it is. Compared with what hosts converge to now:
      </p>
      <Diff from={current.number} to={target.number} />
    </Confirm>
  );
}
