import { useMemo, useState } from "react";
import { useSearchParams } from "wouter";
import type { Host } from "../../../contract/index.ts";
import { useGenerations, useHosts } from "../../api/queries.ts";
import { useMay } from "../../api/session.ts";
import { Button } from "../../ui/button.tsx";
import { Empty } from "../../ui/empty.tsx";
import { SearchField } from "../../ui/field.tsx";
import { count } from "../../ui/format.ts";
import { Loaded } from "../../ui/loading.tsx";
import { Page } from "../../ui/page.tsx";
import { type Condition, conditionOf } from "./condition.ts";
import { EnrolDialog } from "./enrol-dialog.tsx";
import { Enrolments } from "./enrolments.tsx";
import { Fleet } from "./fleet.tsx";
import { HostSheet } from "./host-sheet.tsx";
import { HostTable } from "./host-table.tsx";
import "./hosts.css";

export function HostsPage() {
  const query = useHosts();
  const mayAdminister = useMay("administer");
  const wanted = useGenerations().data?.find(({ current }) => current)?.number ?? 0;
  const [params, setParams] = useSearchParams();
  const enrolling = params.has("enrol");
  const setEnrolling = (open: boolean) => setParams(open ? { enrol: "" } : {}, { replace: true });
  const enrol = mayAdminister && (
    <Button look="primary" icon="plus" onClick={() => setEnrolling(true)}>
      Enrol a host
    </Button>
  );
  return (
    <Page
      title="Hosts"
      summary={
        query.data &&
        query.data.length > 0 &&
        `${count(query.data.length, "host")} of this environment; generation ${wanted} is wanted`
      }
      actions={enrol}
    >
      <Loaded query={query}>
        {(hosts) =>
          hosts.length === 0 ? (
            <div className="card">
              <Empty icon="hosts" title="No hosts yet" actions={enrol}>
                A host pulls what this environment has, builds the tree itself, and runs scripts against it. Enrol one to get the
                command for it.
              </Empty>
            </div>
          ) : (
            <FleetAndList hosts={hosts} wanted={wanted} />
          )
        }
      </Loaded>
      <Enrolments />
      <EnrolDialog open={enrolling} onClose={() => setEnrolling(false)} />
    </Page>
  );
}

function FleetAndList({ hosts, wanted }: { hosts: Host[]; wanted: number }) {
  const [params, setParams] = useSearchParams();
  const [only, setOnly] = useState<Condition>();
  const [openId, setOpenId] = useState<string>();
  const text = (params.get("q") ?? "").trim().toLowerCase();
  const rows = useMemo(() => hosts.map((host) => ({ host, condition: conditionOf(host) })), [hosts]);
  const found = rows.filter(
    ({ host, condition }) => (only === undefined || condition === only) && (text === "" || host.id.includes(text)),
  );
  const open = hosts.find(({ id }) => id === openId);
  return (
    <>
      <Fleet rows={rows} wanted={wanted} only={only} onOnly={setOnly} onOpen={setOpenId} />
      <div className="row">
        <SearchField
          label="Search hosts"
          value={params.get("q") ?? ""}
          onChange={({ target }) => setParams(target.value ? { q: target.value } : {}, { replace: true })}
        />
        {(only !== undefined || text !== "") && (
          <span className="soft" role="status">
            {count(found.length, "host")}
          </span>
        )}
      </div>
      {found.length === 0 ? (
        <div className="card">
          <Empty
            icon="search"
            title="No host matches"
            actions={
              <Button
                onClick={() => {
                  setOnly(undefined);
                  setParams({}, { replace: true });
                }}
              >
                Show all
              </Button>
            }
          />
        </div>
      ) : (
        <HostTable rows={found} wanted={wanted} onOpen={setOpenId} />
      )}
      {open && <HostSheet host={open} wanted={wanted} onClose={() => setOpenId(undefined)} />}
    </>
  );
}
