import { environmentOf, type Operation } from "../../../contract/index.ts";
import { useEnvironment } from "../../api/environment.ts";
import { useGenerations, useOperations, usePackages } from "../../api/queries.ts";
import { useMay } from "../../api/session.ts";
import { Button } from "../../ui/button.tsx";
import { Empty } from "../../ui/empty.tsx";
import { count } from "../../ui/format.ts";
import { Loaded } from "../../ui/loading.tsx";
import { isUnderWay } from "../../ui/operation-progress.tsx";
import { Page } from "../../ui/page.tsx";
import { useInstall } from "../../ui/use-install.ts";
import { GenerationList } from "./generation-list.tsx";
import "./installs.css";
import { LatestOperation } from "./latest-operation.tsx";
import { OperationList } from "./operation-list.tsx";
import { SizeChart } from "./size-chart.tsx";

export function InstallsPage() {
  const environment = useEnvironment();
  const generations = useGenerations();
  const operations = useOperations();
  const mayOperate = useMay("operate");
  const install = useInstall();
  // Then the line above every page offers it.
  const due = usePackages().data?.installDue === true;
  const own = (operations.data ?? []).filter((operation) => (environmentOf(operation) ?? environment) === environment);
  const installs = own.filter(({ kind }) => kind === "install");
  const current = generations.data?.find((generation) => generation.current);
  return (
    <Page
      title="Installs"
      summary={current && `Hosts converge to generation ${current.number}: ${count(current.nodes, "package")} in all`}
      actions={
        mayOperate &&
        !due && (
          <Button
            icon="installs"
            busy={install.isPending}
            disabled={installs.some(isUnderWay)}
            onClick={() => install.mutate(undefined)}
          >
            Install now
          </Button>
        )
      }
    >
      <Latest installs={installs} />
      <SizeChart installs={installs} />
      <Loaded query={generations}>
        {(list) =>
          list.length === 0 ? (
            <div className="card">
              <Empty icon="installs" title="Nothing was installed yet">
                An install resolves the allowlist once, fetches what is new, and makes a generation that every host converges to.
              </Empty>
            </div>
          ) : (
            <GenerationList generations={list} />
          )
        }
      </Loaded>
      {own.length > 0 && <OperationList operations={own} />}
    </Page>
  );
}

/** The install under way, or the one that failed last, until another one succeeds. */
function Latest({ installs }: { installs: Operation[] }) {
  const [latest] = installs;
  if (latest === undefined || (!isUnderWay(latest) && latest.error === undefined)) return null;
  return <LatestOperation operation={latest} />;
}
