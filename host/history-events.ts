import { formatTimeUs } from "@lineshaft/contract/api";
import type { HistoryEvent } from "@lineshaft/platform/history";

/** What people should know of history's work; null for the daily round of runs and compactions. */
export function historyNote(event: HistoryEvent): { code: string; text: string } | null {
  switch (event.type) {
    case "quarantined": {
      const range = `${formatTimeUs(event.fromUs)} to ${formatTimeUs(event.toUs)}`;
      return {
        code: "history_quarantined",
        text: `${event.file} is damaged and set aside; it held ${range}. ${event.detail}`,
      };
    }
    case "rebuilt":
      return { code: "history_rebuilt", text: `${event.file} was rebuilt with ${event.rows} points.` };
    case "retired":
      return { code: "history_retired", text: `${event.file} was removed by retention.` };
    case "spaceShort":
      return { code: "history_space", text: `History waits for space on the disk. ${event.detail}` };
    case "spaceFound":
      return { code: "history_space", text: "History has space on the disk again." };
    case "maintenanceFailed":
      return { code: "history_maintenance", text: `${event.what} in history failed: ${event.detail}` };
    case "frameUnreadable":
      return { code: "frame_unreadable", text: `History could not read record ${event.lsn}: ${event.detail}` };
    case "unavailable":
      return { code: "history_unavailable", text: `History cannot be read: ${event.detail}` };
    default:
      return null;
  }
}
