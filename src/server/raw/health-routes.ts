import type { BlobStores } from "../../blobs/index.ts";
import type { BlobKey } from "../../contract/index.ts";
import { type Db, getActiveStore, getMeta } from "../../db/index.ts";
import type { Signer } from "../signing/signer.ts";

export interface Readiness {
  db: Db;
  stores: BlobStores;
  signer: Signer;
  isStopping(): boolean;
}

const answerWithinMs = 2000;
const noBlob = "0".repeat(128) as BlobKey;

/** The process runs and answers. */
export const getHealth = async (): Promise<Response> => Response.json({ status: "alive" });

/** Whether this replica can serve: 200 or 503, each check by name. Says no reasons: anyone may ask, and the log has them. */
export async function getReadiness({ db, stores, signer, isStopping }: Readiness): Promise<Response> {
  const [database, blobStore] = await Promise.all([answers(getMeta(db.query, "store-id")), answers(askActiveStore(db, stores))]);
  const checks = { database, blobStore, signingKey: signer.keyId !== "", accepting: !isStopping() };
  const ready = Object.values(checks).every(Boolean);
  return Response.json({ status: ready ? "ready" : "notReady", checks }, { status: ready ? 200 : 503 });
}

async function askActiveStore(db: Db, stores: BlobStores): Promise<void> {
  const active = await getActiveStore(db.query);
  if (active !== undefined) await (await stores.open(active)).head(noBlob);
}

async function answers(question: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), answerWithinMs);
  });
  try {
    return await Promise.race([
      question.then(
        () => true,
        () => false,
      ),
      tooLate,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
