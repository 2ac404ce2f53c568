/**
 * Context: what people and ERPs say about the floor (shifts, orders, reasons, set-up, ideal cycles), and how it is joined with what machines did. Start with
 * `calendar.ts` (from a shift calendar to shifts in time).
 */
export {
  type AssignedCalendar,
  assignedShifts,
  type CalendarFault,
  calendarFaults,
  shiftOccurrences,
} from "./calendar.ts";
export { type CalendarTemplate, calendarTemplate, calendarTemplates } from "./calendar-templates.ts";
