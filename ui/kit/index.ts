/**
 * The design system: colours and states, formats, the shared time axis, charts and tables. It knows no page and talks to
 * nobody; texts come in through properties. Styles are in theme.css and kit.css.
 */
export * from "./button.tsx";
export * from "./console-page.ts";
export * from "./dialog.tsx";
export * from "./field.tsx";
export * from "./format.ts";
export * from "./icon.tsx";
export * from "./lane-blocks.ts";
export * from "./lanes.ts";
export * from "./line-diff.ts";
export * from "./messages.ts";
export * from "./notice.tsx";
export * from "./palette.ts";
export * from "./picker.tsx";
export * from "./quality.tsx";
export * from "./series.ts";
export * from "./sparkline.tsx";
export * from "./state-mark.tsx";
export * from "./state-patterns.tsx";
export * from "./states.ts";
export * from "./table.tsx";
export * from "./time-axis.ts";
export * from "./time-lanes.tsx";
export * from "./tree.tsx";
export * from "./use.ts";
export * from "./value-axis.ts";
export * from "./virtual.ts";
