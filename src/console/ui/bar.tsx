interface BarProps {
  label: string;
  done: number;
  /** Absent while nobody knows. */
  total: number | undefined;
}

export function Bar({ label, done, total }: BarProps) {
  const known = total !== undefined && total > 0;
  const share = known ? Math.min(1, done / total) : 0;
  return (
    <div
      className={known ? "bar" : "bar unknown"}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={known ? Math.round(share * 100) : undefined}
    >
      <div style={known ? { width: `${share * 100}%` } : undefined} />
    </div>
  );
}
