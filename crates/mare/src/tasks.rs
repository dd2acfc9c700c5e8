//! `mare tasks`

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result};
use mare_tasks::admin::{DeadDocument, Done, QueueDocument, TaskDocument, TasksDocument};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::cli::{self, TasksAction};
use crate::{Usage, admin};

const REDRAW_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize)]
struct Queues {
    queues: Vec<QueueDocument>,
}

pub(crate) async fn run(arguments: cli::Tasks) -> Result<()> {
    let asking = Asking { platform: &arguments.platform, json: arguments.json };
    match &arguments.action {
        None => asking.overview(arguments.watch).await,
        Some(TasksAction::List(queue)) => {
            let shown = |page: TasksDocument| tasks(&page.tasks, page.next.as_deref());
            asking.show(&path(&queue.queue, "", queue.after.as_deref())?, shown).await
        }
        Some(TasksAction::Dead(queue)) => {
            let shown = |page: DeadDocument| tasks(&page.dead, page.next.as_deref());
            asking.show(&path(&queue.queue, "/dead", queue.after.as_deref())?, shown).await
        }
        Some(TasksAction::Run(tasks)) => asking.act(&tasks.queue, "run", Some(&tasks.ids), "started").await,
        Some(TasksAction::Retry(dead)) => {
            asking.act(&dead.queue, "retry", dead.ids(), "back in the queue").await
        }
        Some(TasksAction::Forget(dead)) => asking.act(&dead.queue, "forget", dead.ids(), "forgotten").await,
        Some(TasksAction::Pause(queue)) => asking.act(&queue.queue, "pause", None, "paused").await,
        Some(TasksAction::Resume(queue)) => asking.act(&queue.queue, "resume", None, "resumed").await,
        Some(TasksAction::Purge(queue)) => asking.act(&queue.queue, "purge", None, "purged").await,
    }
}

impl cli::DeadLetters {
    fn ids(&self) -> Option<&[String]> {
        if self.all { None } else { Some(&self.ids) }
    }
}

struct Asking<'a> {
    platform: &'a cli::Platform,
    json: bool,
}

impl Asking<'_> {
    async fn overview(&self, watch: bool) -> Result<()> {
        loop {
            let text = self.get("/api/tasks").await?;
            if self.json {
                crate::print(&format!("{text}\n"));
            } else {
                let document: Queues = read(&text)?;
                let home = if watch { "\x1b[2J\x1b[H" } else { "" };
                crate::print(&format!("{home}{}", overview(&document.queues)));
            }
            if !watch {
                return Ok(());
            }
            tokio::time::sleep(REDRAW_EVERY).await;
        }
    }

    async fn get(&self, path: &str) -> Result<String> {
        admin::text(admin::get(self.platform, path).await?).await
    }

    async fn show<T: DeserializeOwned>(&self, path: &str, shown: impl FnOnce(T) -> String) -> Result<()> {
        let text = self.get(path).await?;
        crate::print(&if self.json { format!("{text}\n") } else { shown(read(&text)?) });
        Ok(())
    }

    /// `ids` are those meant; `None` means all, or the queue itself.
    async fn act(&self, queue: &str, verb: &str, ids: Option<&[String]>, done: &str) -> Result<()> {
        let path = path(queue, &format!("/{verb}"), None)?;
        let text = admin::text(admin::post(self.platform, &path, &json!({ "ids": ids })).await?).await?;
        if self.json {
            crate::print(&format!("{text}\n"));
            return Ok(());
        }
        let Done { count } = read(&text)?;
        let line = match verb {
            "pause" | "resume" | "purge" => format!("{queue} is {done}\n"),
            _ => format!("{count} of {queue} {done}\n"),
        };
        crate::print(&line);
        Ok(())
    }
}

/// `queue` is the last part of a name, or the whole.
fn path(queue: &str, below: &str, after: Option<&str>) -> Result<String> {
    let (parent, id) = match queue.split_once("/queues/") {
        Some((parent, id)) => (Some(parent), id),
        None => (None, queue),
    };
    let plain =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":.-_/".contains(&byte));
    if !plain(queue) || id.contains('/') || !after.is_none_or(plain) {
        return Err(Usage(format!("`{queue}` is not the name of a queue")).into());
    }
    let asked = [parent.map(|it| format!("parent={it}")), after.map(|it| format!("after={it}"))];
    let asked: Vec<String> = asked.into_iter().flatten().collect();
    let mark = if asked.is_empty() { "" } else { "?" };
    Ok(format!("/api/tasks/{id}{below}{mark}{}", asked.join("&")))
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).context("the answer is of another version of mare")
}

fn overview(queues: &[QueueDocument]) -> String {
    if queues.is_empty() {
        return "there are no queues; declare one as [queues.NAME] in mare.toml\n".to_owned();
    }
    let name = queues.iter().map(|queue| queue.queue.len()).max().unwrap_or(0).max(5);
    let mut out = format!(
        "{:name$}  {:7}  {:>8}  {:>8}  {:>8}  {:>6}  {:>8}  LIMITS\n",
        "QUEUE", "STATE", "WAITING", "DUE", "RUNNING", "DEAD", "OLDEST"
    );
    for queue in queues {
        let rate = queue.rate_limit.map_or("no rate".to_owned(), |rate| format!("{rate}/s"));
        let _ = writeln!(
            out,
            "{:name$}  {:7}  {:>8}  {:>8}  {:>8}  {:>6}  {:>8}  {rate}, {} at once",
            queue.queue,
            queue.state,
            queue.backlog,
            queue.due,
            queue.running,
            queue.dead,
            queue.oldest_seconds.map_or("-".to_owned(), |seconds| format!("{seconds:.1}s")),
            queue.concurrency,
        );
    }
    out
}

fn tasks(tasks: &[TaskDocument], next: Option<&str>) -> String {
    if tasks.is_empty() {
        return "none\n".to_owned();
    }
    let name = tasks.iter().map(|task| task.id.len()).max().unwrap_or(0).max(2);
    let mut out = format!("{:name$}  {:20}  {:>8}  {:24}  REQUEST\n", "ID", "SCHEDULED", "ATTEMPTS", "LAST");
    for task in tasks {
        let _ = writeln!(
            out,
            "{:name$}  {:20}  {:>8}  {:24}  {} {}",
            task.id,
            format!("{:.0}", task.scheduled),
            task.attempts,
            task.last.as_deref().unwrap_or("-"),
            task.method,
            task.url,
        );
    }
    if let Some(next) = next {
        let _ = writeln!(out, "more with --after {next}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_named_shortly_or_in_full() {
        let check = |queue, after, expected: Option<&str>| {
            assert_eq!(path(queue, "/dead", after).ok().as_deref(), expected, "{queue}");
        };
        check("imports", None, Some("/api/tasks/imports/dead"));
        check("imports", Some("x"), Some("/api/tasks/imports/dead?after=x"));
        let full = "/api/tasks/q/dead?parent=projects/p/locations/l";
        check("projects/p/locations/l/queues/q", None, Some(full));
        check("a/b", None, None);
        check("a b", None, None);
        check("a?b", None, None);
    }

    #[test]
    fn the_overview_lines_up() {
        let queue = |name: &str, oldest| QueueDocument {
            queue: name.to_owned(),
            state: "running".to_owned(),
            declared: true,
            backlog: 1200,
            due: 7,
            running: 50,
            dead: 1,
            oldest_seconds: oldest,
            rate_limit: Some(500.0),
            concurrency: 50,
        };
        let expected = "\
QUEUE    STATE     WAITING       DUE   RUNNING    DEAD    OLDEST  LIMITS
imports  running      1200         7        50       1      0.2s  500/s, 50 at once
mail     running      1200         7        50       1         -  500/s, 50 at once
";
        assert_eq!(overview(&[queue("imports", Some(0.25)), queue("mail", None)]), expected);
    }
}
