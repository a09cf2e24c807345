import type { StorageStatus } from "../../../contract/index.ts";
import { Badge } from "../../ui/badge.tsx";
import { formatBytes, formatNumber } from "../../ui/format.ts";

export function StoreTable({ status }: { status: StorageStatus }) {
  const most = Math.max(1, ...status.stores.map(({ bytes, strayBytes }) => bytes + strayBytes));
  return (
    <section className="card" aria-labelledby="stores">
      <div className="card-head">
        <h2 id="stores">Blob stores</h2>
      </div>
      <div className="scroll-x">
        <table className="plain-table">
          <thead>
            <tr>
              <th>Store</th>
              <th className="store-usage">Usage</th>
              <th className="num">Tarballs</th>
              <th className="num">Size</th>
              <th className="num">Stray</th>
            </tr>
          </thead>
          <tbody>
            {status.stores.map(({ name, configured, blobs, bytes, strayBytes }) => (
              <tr key={name}>
                <td>
                  <span className="row">
                    <strong className="mono">{name}</strong>
                    {name === status.active && <Badge tone="good">active</Badge>}
                    {!configured && <Badge tone="warn">not configured here</Badge>}
                  </span>
                </td>
                <td className="store-usage">
                  <div className="usage" aria-hidden="true">
                    <div style={{ width: `${(bytes / most) * 100}%` }} />
                    <div className="stray" style={{ width: `${(strayBytes / most) * 100}%` }} />
                  </div>
                </td>
                <td className="num">{formatNumber(blobs)}</td>
                <td className="num">{formatBytes(bytes)}</td>
                <td className="num soft">{strayBytes > 0 ? formatBytes(strayBytes) : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
