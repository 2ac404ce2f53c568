/** A small line without axes; the number beside it carries the value. Text for screen readers comes from outside. */
export function Sparkline(props: {
  values: readonly number[];
  label: string;
  width?: number;
  height?: number;
  least?: number;
}) {
  const { values, width = 160, height = 36 } = props;
  // Air above the greatest, so that a steady value looks like a line and not like a full box.
  const max = 1.3 * Math.max(props.least ?? 0, ...values) || 1;
  const step = width / Math.max(1, values.length - 1);
  const points = values.map(
    (v, i) => `${(i * step).toFixed(1)},${(height - 1.5 - (v / max) * (height - 4)).toFixed(1)}`,
  );
  return (
    <svg
      className="sparkline"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={props.label}
      preserveAspectRatio="none"
    >
      <line x1="0" y1={height - 0.5} x2={width} y2={height - 0.5} className="sparkline-base" />
      {values.length > 1 && (
        <>
          <polygon points={`0,${height} ${points.join(" ")} ${width},${height}`} className="sparkline-fill" />
          <polyline points={points.join(" ")} className="sparkline-line" />
        </>
      )}
    </svg>
  );
}
