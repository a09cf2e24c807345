import { useState } from "react";
import type { StorageStatus } from "../../../contract/index.ts";
import { useStorage } from "../../api/queries.ts";
import { useMay } from "../../api/session.ts";
import { Button } from "../../ui/button.tsx";
import { count, formatBytes } from "../../ui/format.ts";
import { Loaded } from "../../ui/loading.tsx";
import { Page } from "../../ui/page.tsx";
import { CollectDialog } from "./collect-dialog.tsx";
import { MigrateDialog } from "./migrate-dialog.tsx";
import { Migration } from "./migration.tsx";
import { Quarantine } from "./quarantine.tsx";
import "./storage.css";
import { StoreTable } from "./store-table.tsx";
import { Upkeep } from "./upkeep.tsx";
import { VerifyDialog } from "./verify-dialog.tsx";

export function StoragePage() {
  const query = useStorage();
  const mayAdminister = useMay("administer");
  const [open, setOpen] = useState<"migrate" | "collect" | "verify">();
  const close = () => setOpen(undefined);
  const status = query.data;
  return (
    <Page
      title="Storage"
      summary={status && `${count(status.blobs, "tarball")}, ${formatBytes(status.bytes)}; new ones go to ${status.active}`}
      actions={
        mayAdminister && (
          <>
            <Button icon="shield" onClick={() => setOpen("verify")}>
              Verify
            </Button>
            <Button icon="broom" onClick={() => setOpen("collect")}>
              Collect
            </Button>
            <Button
              look="primary"
              icon="move"
              disabled={status?.migration.state === "running"}
              onClick={() => setOpen("migrate")}
            >
              Migrate
            </Button>
          </>
        )
      }
    >
      <Loaded query={query}>{(data) => <Everything status={data} />}</Loaded>
      {open === "migrate" && status && <MigrateDialog status={status} onClose={close} />}
      {open === "collect" && <CollectDialog onClose={close} />}
      {open === "verify" && <VerifyDialog onClose={close} />}
    </Page>
  );
}

const Everything = ({ status }: { status: StorageStatus }) => (
  <>
    {status.migration.state !== "idle" && <Migration migration={status.migration} />}
    {status.quarantined.length > 0 && <Quarantine blobs={status.quarantined} />}
    <StoreTable status={status} />
    <Upkeep status={status} />
  </>
);
