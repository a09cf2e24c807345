import { type HostReport, type Id, LarderError } from "../../contract/index.ts";
import { type Db, isDatabaseAway, type ReportOutcome, reportHosts } from "../../db/index.ts";
import { createBatcher } from "../../lib/index.ts";
import { hostsNotices } from "../events/notice.ts";
import type { Stocker } from "../stocking/stocker.ts";

/** Takes what hosts say of themselves. Reports that come at once are written in one transaction, over one connection, so that a fleet leaves the others to people. */
export interface ReportDesk {
  /** Resolves when it is committed. False: a later one is here already. Throws `E_NOT_FOUND` for a host that is not known. */
  take(id: Id, report: HostReport): Promise<boolean>;
}

const writtenAtOnce = 250;

export function createReportDesk({ db, stocker }: { db: Db; stocker: Pick<Stocker, "consider"> }): ReportDesk {
  const write = createBatcher<{ id: Id; report: HostReport }, ReportOutcome>({
    max: writtenAtOnce,
    concernsAll: isDatabaseAway,
    run: (reports) =>
      db.transaction(async (tx) => {
        const outcomes = await reportHosts(tx, reports);
        const news = outcomes.flatMap((outcome) => (outcome.kind === "kept" && outcome.isNews ? [outcome.host.id] : []));
        for (const notice of hostsNotices(news)) await db.notify(tx, notice);
        return outcomes;
      }),
  });
  return {
    async take(id, report) {
      const outcome = await write({ id, report });
      if (outcome.kind === "unknown") {
        throw new LarderError("E_NOT_FOUND", `There is no host ${id}.`, {
          hint: "It was revoked a moment ago; enrol it anew.",
          details: { id },
        });
      }
      if (outcome.kind === "kept") await stocker.consider(outcome.host);
      return outcome.kind === "kept";
    },
  };
}
