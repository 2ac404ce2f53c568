import type { Quality } from "@lineshaft/contract/api";

/** Good is plain: nothing is drawn. Uncertain and bad have a shape as well as a colour. */
export function QualityMark({ quality, label }: { quality: Quality; label: string }) {
  if (quality === "good") return <span className="quality quality-good">{label}</span>;
  return (
    <span className={`quality quality-${quality}`}>
      <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
        {quality === "bad" ? (
          <path d="M1.5 1.500l7 7M8.5 1.500l-7 7" stroke="currentColor" strokeWidth="2" fill="none" />
        ) : (
          <path d="M5 1l4.2 8H.8z" stroke="currentColor" strokeWidth="1.5" fill="none" strokeDasharray="2 1.2" />
        )}
      </svg>
      {label}
    </span>
  );
}
