import type { Source } from '../api/types';
import { confidenceText, percentOf, sourceName } from '../domain/confidence';

type Why = { source: Source; confidence: number; reason: string };

/** Why a transaction has its category, or would have: the source, how sure, and the reason in a sentence. */
export function WhyChip({ why, brief = false }: { why: Why; brief?: boolean }) {
  const { source, confidence, reason } = why;
  if (brief) {
    return (
      <span className={`why why-${source}`} title={`${sourceName(source)}: ${reason} (${confidenceText(confidence)})`}>
        {sourceName(source)}
        <span className="visually-hidden">
          : {reason}, {percentOf(confidence)}%
        </span>
      </span>
    );
  }
  return (
    <span className="why-full">
      <span className={`why why-${source}`}>{sourceName(source)}</span> <span className="why-reason">{reason}</span>
    </span>
  );
}
