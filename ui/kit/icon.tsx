/** Drawn on a 20 px grid with a 1.5 px line; few, and never without a label beside or on them. */
const paths = {
  equipment: "M3 16.5V9l4.5 3V9l4.5 3V4.5h5v12zM6 14h1.5M10 14h1.5M14 14h1",
  trends: "M3 3.5v13h14M5.5 12.5l3-4 3 2.5 4.5-6",
  orders: "M3.5 4.500h13v11h-13zM3.5 8h13M6 11h5M9 13.250h5",
  calendar: "M3.5 5h13v11.500h-13zM3.5 8.500h13M7 3.500v3M13 3.500v3M7 11.500h2.500M11.500 13.750H14",
  materials: "M10 3l6.5 3.500v7L10 17l-6.5-3.500v-7zM3.500 6.500L10 10l6.5-3.500M10 10v7",
  connections: "M7 3.500v4M13 3.500v4M5 7.500h10v3a5 5 0 0 1-10 0zM10 15.500v2",
  configuration: "M4 5h5M12 5h4M4 10h9M16 10h.01M4 15h3M10 15h6M10.5 3.500v3M14.500 8.500v3M8.500 13.500v3",
  rejected: "M4 4.500h12v11H4zM7.5 8l5 5M12.5 8l-5 5",
  system: "M3 5h14v4.500H3zM3 11h14v4.500H3zM5.5 7.250h1.500M5.5 13.250h1.5",
  overview: "M3.500 4h5.500v5h-5.500zM11 4h5.500v5h-5.500zM3.500 11h5.500v5h-5.500zM11 11h5.500v5h-5.500z",
  line: "M3 13.500h14M3.500 6h4v4.500h-4zM12.500 6h4v4.500h-4zM7.500 8.250h5M5 16h.01M10 16h.01M15 16h.01",
  machine: "M3.500 16.500v-9h7l2-3.500h3.500v12.500zM6.500 16.500v-3.500h4v3.500M13 8h.01",
  oee: "M3 3.500v13h14M5.750 16.500v-11h2.500v11M10 16.500v-7.500h2.500v7.500M14.250 16.500v-4h2.500v4",
  report: "M5 3.500h7l3.500 3.500v9.500h-10.500zM12 3.500v3.500h3.500M7.500 10.500h5.500M7.500 13.500h5.500",
  screen: "M3 4.500h14v9h-14zM7.500 16.500h5M10 13.500v3",
  flask: "M8 3.500h4M8.500 3.500v4.500l-4 7a1 1 0 0 0 .9 1.500h9.200a1 1 0 0 0 .9-1.500l-4-7v-4.500M6.500 12.500h7",
  minus: "M4 10h12",
  search: "M8.75 3.500a5.25 5.25 0 1 1 0 10.5 5.25 5.25 0 0 1 0-10.500M12.7 12.700l4 4",
  close: "M5 5l10 10M15 5L5 15",
  plus: "M10 4v12M4 10h12",
  pencil: "M4 16l1-4 8-8 3 3-8 8zM11.5 5.500l3 3",
  copy: "M7 7h9v9H7zM4 13V4h9",
  down: "M5 8l5 5 5-5",
  right: "M8 5l5 5-5 5",
  columns: "M3.5 4.500h13v11h-13zM8 4.500v11M12.25 4.500v11",
  fit: "M10 3v14M6.5 6.500L10 3l3.5 3.500M6.5 13.500L10 17l3.5-3.5",
  user: "M10 3.500a3 3 0 1 1 0 6 3 3 0 0 1 0-6M4 16.500c.6-3.2 3-5 6-5s5.4 1.8 6 5",
  left: "M12 5l-5 5 5 5",
  restart: "M15.5 7.500A6 6 0 1 0 16 10M15.750 3.750v3.750H12",
  pause: "M7 4.500v11M13 4.500v11",
  play: "M6.500 4l9 6-9 6z",
  check: "M4.500 10.500l3.500 3.500 7.500-8",
  bin: "M4 5.500h12M8 5.500V3.500h4v2M5.500 5.500l.75 11h7.500l.75-11",
  alarm: "M10 3.5l7 12.500h-14zM10 8.500v3.500M10 14h.01",
  tag: "M3.5 3.500h6.500l6.5 6.5-6.5 6.5-6.5-6.500zM6.75 6.750h.01",
} as const;
export type IconName = keyof typeof paths;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true">
      <path
        d={paths[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
