import type { StorageStatus } from "../../../contract/index.ts";
import { shortHash } from "../../ui/format.ts";
import { Notice } from "../../ui/notice.tsx";
import { Ago } from "../../ui/time.tsx";

/** Copies that were read and found damaged. */
export const Quarantine = ({ blobs }: { blobs: StorageStatus["quarantined"] }) => (
  <Notice tone="bad">
    <p>
      <strong>Damaged copies</strong>
    </p>
    <p className="soft">They are not served. Verify fetches them again, from another store or the registry.</p>
    <ul className="quarantine">
      {blobs.map(({ blob, store, packages, message, since }) => (
        <li key={`${store}/${blob}`}>
          <strong>{packages.join(", ") || shortHash(blob)}</strong> on {store}: {message}{" "}
          <span className="faint">
            <Ago at={since} />
          </span>
        </li>
      ))}
    </ul>
  </Notice>
);
