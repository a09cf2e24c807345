import { useDeferredValue, useState } from "react";
import { useSearchParams } from "wouter";
import type { HostCounts } from "../../../contract/index.ts";
import { useHost, useHostCounts } from "../../api/host-queries.ts";
import { useGenerations } from "../../api/queries.ts";
import { useMay } from "../../api/session.ts";
import { Button } from "../../ui/button.tsx";
import { Empty } from "../../ui/empty.tsx";
import { SearchField } from "../../ui/field.tsx";
import { count } from "../../ui/format.ts";
import { Loaded } from "../../ui/loading.tsx";
import { Page } from "../../ui/page.tsx";
import { type Condition, choiceOf } from "./condition.ts";
import { EnrolDialog } from "./enrol-dialog.tsx";
import { Enrolments } from "./enrolments.tsx";
import { Fleet } from "./fleet.tsx";
import { HostList } from "./host-list.tsx";
import { HostSheet } from "./host-sheet.tsx";
import "./hosts.css";

export function HostsPage() {
  const query = useHostCounts();
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
        query.data.total > 0 &&
        `${count(query.data.total, "host")} of this environment; generation ${wanted} is wanted`
      }
      actions={enrol}
    >
      <Loaded query={query}>
        {(counts) =>
          counts.total === 0 ? (
            <div className="card">
              <Empty icon="hosts" title="No hosts yet" actions={enrol}>
                A host pulls what this environment has, builds the tree itself, and runs scripts against it. Enrol one to get the
                command for it.
              </Empty>
            </div>
          ) : (
            <FleetAndList counts={counts} wanted={wanted} />
          )
        }
      </Loaded>
      <Enrolments />
      <EnrolDialog open={enrolling} onClose={() => setEnrolling(false)} />
    </Page>
  );
}

function FleetAndList({ counts, wanted }: { counts: HostCounts; wanted: number }) {
  const [params, setParams] = useSearchParams();
  const [only, setOnly] = useState<Condition>();
  const [openId, setOpenId] = useState<string>();
  const text = params.get("q") ?? "";
  const search = useDeferredValue(text.trim().slice(0, 255));
  const open = useHost(openId).data;
  return (
    <>
      <Fleet counts={counts} wanted={wanted} only={only} onOnly={setOnly} onOpen={setOpenId} />
      <HostList
        choice={{ ...(only && choiceOf(only)), ...(search && { search }) }}
        wanted={wanted}
        onOpen={setOpenId}
        field={
          <SearchField
            label="Search hosts"
            value={text}
            onChange={({ target }) => setParams(target.value ? { q: target.value } : {}, { replace: true })}
          />
        }
        onAll={() => {
          setOnly(undefined);
          setParams({}, { replace: true });
        }}
      />
      {open && <HostSheet host={open} wanted={wanted} onClose={() => setOpenId(undefined)} />}
    </>
  );
}
