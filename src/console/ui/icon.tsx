const paths = {
  packages: "M2.5 4.5 8 1.5l5.5 3v7L8 14.5l-5.5-3zM2.5 4.5 8 7.5l5.5-3M8 7.5v7M5.2 3l5.5 3",
  installs: "M8 1.5 14 5 8 8.5 2 5zM2 8l6 3.5L14 8M2 11l6 3.5 6-3.5",
  hosts: "M2 2.5h12v4.5H2zM2 9h12v4.5H2zM4.5 4.75h.01M4.5 11.25h.01M7 4.75h4.5M7 11.25h4.5",
  storage:
    "M2.5 4c0-1.4 2.5-2.5 5.5-2.5s5.5 1.1 5.5 2.5S11 6.5 8 6.5 2.5 5.4 2.5 4zM2.5 4v8c0 1.4 2.5 2.5 5.5 2.5s5.5-1.1 5.5-2.5V4M2.5 8c0 1.4 2.5 2.5 5.5 2.5s5.5-1.1 5.5-2.5",
  registry: "M8 1.5 13.5 3.5v4c0 3.5-2.3 6-5.5 7-3.2-1-5.5-3.5-5.5-7v-4zM5.5 8l1.8 1.8L10.7 6.3",
  scripts: "M5 4.5 1.5 8 5 11.5M11 4.5 14.5 8 11 11.5M9.3 2.5 6.7 13.5",
  access: "M10 9.5a4 4 0 1 0-3.8-2.7L1.5 11.5v3h3v-1.8h1.8v-1.8h1.8l1-1c.3.06.6.1.9.1zM11.2 4.8h.01",
  activity: "M1.5 8h3l2-5.5 3 11 2-5.5h3",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.6 10.6l3.4 3.4",
  plus: "M8 3v10M3 8h10",
  close: "M4 4l8 8M12 4l-8 8",
  check: "M3 8.5 6.5 12 13 4.5",
  alert: "M8 1.8 14.8 13.5H1.2zM8 6.2v3.3M8 11.6h.01",
  info: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM8 7.5v3.5M8 5h.01",
  more: "M3 7.8v.4M8 7.8v.4M13 7.8v.4",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.8 9.5A6 6 0 0 1 6.5 2.2a6 6 0 1 0 7.3 7.3z",
  screen: "M1.5 2.5h13v8.5h-13zM5.5 14h5M8 11v3",
  signOut: "M6 14H2.5V2H6M10.5 4.5 14 8l-3.5 3.5M14 8H6",
  down: "M4 6l4 4 4-4",
  up: "M4 10l4-4 4 4",
  right: "M6 4l4 4-4 4",
  undo: "M3 7h7a3.5 3.5 0 1 1 0 7H7M6 3.5 2.5 7 6 10.5",
  play: "M4.5 2.5 13 8l-8.5 5.5z",
  stop: "M4 4h8v8H4z",
  refresh: "M13.5 8A5.5 5.5 0 1 1 11.7 3.9L13.5 5.5M13.5 2v3.5H10",
  pin: "M6 2h4l-.5 5 2.5 2.5H4L6.5 7zM8 9.5v5",
  trash: "M2.5 4h11M6 4V2.5h4V4M4 4l.7 9.5h6.6L12 4M6.7 6.8v4M9.3 6.8v4",
  move: "M2 5.5h10M9 2.5l3 3-3 3M14 10.5H4M7 7.5l-3 3 3 3",
  broom: "M9.5 6.5 13.5 2M4.5 7l4.5 4-2 3.5L2 9.5zM6.5 5.5 10.7 9",
  shield: "M8 1.5 13.5 3.5v4c0 3.5-2.3 6-5.5 7-3.2-1-5.5-3.5-5.5-7v-4z",
  file: "M3.5 1.5h6l3 3v10h-9zM9.5 1.5v3h3",
  bolt: "M9 1.5 3.5 9H8l-1 5.5L12.5 7H8z",
  promote: "M8 13.5V3M4 7l4-4 4 4",
} as const;
export type IconName = keyof typeof paths;

/** Decoration: what it stands beside, or its button's label, says the same. */
export const Icon = ({ name }: { name: IconName }) => (
  <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
    <path d={paths[name]} />
  </svg>
);
