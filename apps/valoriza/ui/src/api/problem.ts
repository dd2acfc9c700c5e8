/** A refusal of the server (RFC 9457), or the lack of any answer, as one kind of error. */

type FieldError = { field: string; code: string; message: string };

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: readonly FieldError[];

  constructor(status: number, code: string, message: string, fields: readonly FieldError[] = []) {
    super(message);
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.fields = fields;
  }

  /** No answer came: the network, or a service that is not there. */
  static unreachable(): Problem {
    return new Problem(0, 'unreachable', 'Não foi possível falar com o valoriza. Verifique sua conexão e tente de novo.');
  }

  static async of(response: Response): Promise<Problem> {
    return Problem.from(response.status, await response.json().catch(() => null));
  }

  static from(status: number, body: unknown): Problem {
    const { code, title, detail, errors } = (body ?? {}) as Record<string, unknown>;
    const message = [detail, title].find((it) => typeof it === 'string' && it !== '');
    return new Problem(
      status,
      typeof code === 'string' ? code : `http_${status}`,
      typeof message === 'string' ? message : 'Algo deu errado. Tente de novo em instantes.',
      Array.isArray(errors) ? (errors as FieldError[]) : [],
    );
  }

  /** Messages by field; the first one of each. */
  byField(): Record<string, string> {
    const messages: Record<string, string> = {};
    for (const { field, message } of this.fields) messages[field] ??= sentence(message);
    return messages;
  }
}

/** The server's messages are fragments ("não pode ser zero"); a form shows sentences. */
function sentence(fragment: string): string {
  const capital = fragment.charAt(0).toUpperCase() + fragment.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

/** What to tell the person; anything unexpected is shown as such instead of hidden. */
export function explain(error: unknown): string {
  if (error instanceof Problem) {
    if (error.status === 412) return 'Alguém alterou isto enquanto você editava. Recarregue para ver a versão atual.';
    if (error.status === 403) return 'Você não tem permissão para fazer isto.';
    if (error.status === 429) return 'Foram muitos pedidos em pouco tempo. Espere um instante e tente de novo.';
    return error.message;
  }
  return error instanceof Error ? error.message : String(error);
}
