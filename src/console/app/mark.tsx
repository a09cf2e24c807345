/** The jar, and the name. */
export const Mark = () => (
  <div className="mark">
    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="var(--accent)" />
      <path
        d="M10 7h12M9.5 12.5c0-1.7 1.3-2.5 1.3-4v-1h10.4v1c0 1.5 1.3 2.3 1.3 4V23a2.5 2.5 0 0 1-2.5 2.5h-8A2.5 2.5 0 0 1 9.5 23zM9.5 15.5h13M9.5 21h13"
        fill="none"
        stroke="var(--on-accent)"
        strokeWidth="1.9"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
    Larder
  </div>
);
