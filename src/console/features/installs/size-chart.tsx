import type { Operation, OperationOf } from "../../../contract/index.ts";
import { formatBytes } from "../../ui/format.ts";

const [width, height] = [600, 64];

/** Packed size of each generation that an install made, oldest first. */
export function SizeChart({ installs }: { installs: Operation[] }) {
  const points = installs
    .filter((operation): operation is OperationOf<"install"> => operation.kind === "install")
    .flatMap(({ result }) => (result?.changed ? [{ generation: result.generation, bytes: result.bytes }] : []))
    .sort((a, b) => a.generation - b.generation);
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 2) return null;
  const top = Math.max(...points.map(({ bytes }) => bytes)) * 1.15 || 1;
  const x = (index: number) => (index / points.length) * width;
  const y = (bytes: number) => height - (bytes / top) * height;
  // Steps of one width: a size holds until the next generation.
  const line = points
    .map(({ bytes }, index) => (index === 0 ? `M0 ${y(bytes)}` : `H${x(index)}V${y(bytes)}`))
    .join("")
    .concat(`H${width}`);
  const label = `Size over time: ${formatBytes(first.bytes)} at generation ${first.generation}, ${formatBytes(last.bytes)} at generation ${last.generation}`;
  return (
    <figure className="card size-chart">
      <figcaption>
        <span className="soft">Size of a generation, packed</span>
        <strong>{formatBytes(last.bytes)}</strong>
      </figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
        <path className="area" d={`${line}V${height}H0z`} />
        <path className="line" d={line} vectorEffect="non-scaling-stroke" />
      </svg>
      <div className="spread faint">
        <span>{first.generation}</span>
        <span>generation {last.generation}</span>
      </div>
    </figure>
  );
}
