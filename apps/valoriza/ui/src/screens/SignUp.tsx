import { type FormEvent, useEffect, useState } from 'react';
import { Problem } from '../api/problem';
import { register } from '../api/session';
import { type Errors, useSubmission } from '../app/form';
import { useSubmissionKey } from '../app/idempotency';
import { Field } from '../ui/Field';
import { FormError } from '../ui/FormError';
import { Link } from '../ui/Link';
import { Welcome } from './Welcome';

const PASSWORD_CHARS_MIN = 10;
const FIELDS = ['name', 'email', 'password', 'tenant_name'];

export function SignUp() {
  const [values, setValues] = useState({ name: '', email: '', password: '', tenant_name: '' });
  const { form, busy, errors, failure, submit } = useSubmission((field) => FIELDS.includes(field));
  const submission = useSubmissionKey();
  const set = (name: keyof typeof values) => (event: { target: { value: string } }) =>
    setValues((it) => ({ ...it, [name]: event.target.value }));

  useEffect(() => {
    document.title = 'Criar conta · valoriza';
  }, []);

  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const tenant = values.tenant_name.trim();
    const body = {
      name: values.name.trim(), email: values.email.trim(), password: values.password,
      ...(tenant !== '' && { tenant_name: tenant }),
    };
    const found: Errors = {
      ...(body.name === '' && { name: 'Informe seu nome.' }),
      ...(body.email === '' && { email: 'Informe seu e-mail.' }),
      ...(body.password.length < PASSWORD_CHARS_MIN && { password: `Use pelo menos ${PASSWORD_CHARS_MIN} caracteres.` }),
    };
    void submit(found, () => register(body, submission.of(body)));
  };

  const taken = failure instanceof Problem && failure.code === 'email_taken';
  return (
    <Welcome title="Criar conta">
      <form ref={form} className="form" noValidate onSubmit={onSubmit}>
        <Field label="Seu nome" error={errors.name}>
          {(control) => <input {...control} type="text" autoComplete="name" autoFocus value={values.name} onChange={set('name')} />}
        </Field>
        <Field label="E-mail" error={errors.email ?? (taken ? 'Este e-mail já tem uma conta. Entre com ele.' : undefined)}>
          {(control) => <input {...control} type="email" autoComplete="username" value={values.email} onChange={set('email')} />}
        </Field>
        <Field label="Senha" error={errors.password} hint={`Pelo menos ${PASSWORD_CHARS_MIN} caracteres.`}>
          {(control) => <input {...control} type="password" autoComplete="new-password" value={values.password} onChange={set('password')} />}
        </Field>
        <Field label="Nome da família ou empresa (opcional)" error={errors.tenant_name}>
          {(control) => <input {...control} type="text" autoComplete="organization" value={values.tenant_name} onChange={set('tenant_name')} />}
        </Field>
        <FormError error={taken ? null : failure} />
        <button type="submit" className="button button-primary button-wide" disabled={busy}>
          {busy ? 'Criando…' : 'Criar conta'}
        </button>
      </form>
      <p className="welcome-other">
        Já tem conta? <Link href="/entrar">Entrar</Link>
      </p>
    </Welcome>
  );
}
