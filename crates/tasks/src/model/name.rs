//! `projects/P/locations/L/queues/Q` and `…/tasks/T`.

use std::fmt;
use std::sync::Arc;

/// The full name of a queue. Cheap to clone.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct QueueName(Arc<str>);

/// The full name of a task.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TaskName {
    pub queue: QueueName,
    pub id: Arc<str>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadName {
    #[error("the name of a queue is projects/PROJECT/locations/LOCATION/queues/QUEUE")]
    Queue,
    #[error("the name of a task is the name of its queue and /tasks/TASK")]
    Task,
    #[error("the id of a task is 1 to 500 letters, digits, hyphens or underscores")]
    TaskId,
}

impl QueueName {
    /// Checks the shape and the characters: project `[A-Za-z0-9:.-]`, location `[A-Za-z0-9-]`, queue
    /// `[A-Za-z0-9-]{1,100}`.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let parts: Vec<&str> = text.split('/').collect();
        let ["projects", project, "locations", location, "queues", queue] = parts[..] else {
            return Err(BadName::Queue);
        };
        let of = |part: &str, extra: &[u8]| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
        };
        if of(project, b":.-") && of(location, b"-") && of(queue, b"-") && queue.len() <= 100 {
            Ok(Self(Arc::from(text)))
        } else {
            Err(BadName::Queue)
        }
    }

    /// `parent` is `projects/P/locations/L`.
    pub fn below(parent: &str, id: &str) -> Result<Self, BadName> {
        Self::parse(&format!("{parent}/queues/{id}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part.
    pub fn id(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(_, id)| id)
    }

    /// `projects/P/locations/L`.
    pub fn parent(&self) -> &str {
        self.0.rsplit_once("/queues/").map_or("", |(parent, _)| parent)
    }

    pub fn task(&self, id: &str) -> Result<TaskName, BadName> {
        let fits = (1..=500).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if fits { Ok(TaskName { queue: self.clone(), id: Arc::from(id) }) } else { Err(BadName::TaskId) }
    }
}

impl TaskName {
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let (queue, id) = text.split_once("/tasks/").ok_or(BadName::Task)?;
        QueueName::parse(queue).map_err(|_queue| BadName::Task)?.task(id)
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

impl fmt::Display for TaskName {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}/tasks/{}", self.queue, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_shape_of_cloud_tasks() {
        let check = |text: &str, expected| assert_eq!(QueueName::parse(text).is_ok(), expected, "{text}");
        check("projects/p/locations/l/queues/q", true);
        check("projects/a.b:c-d/locations/us-central1/queues/Q-1", true);
        check("projects/p/locations/l/queues/q_1", false);
        check("projects/p/locations/l/queues/", false);
        check("projects/p/locations/l/queues/q/tasks/t", false);
        check(&format!("projects/p/locations/l/queues/{}", "q".repeat(101)), false);
        let task = TaskName::parse("projects/p/locations/l/queues/q/tasks/t_1").expect("a name");
        assert_eq!((task.queue.id(), task.queue.parent(), &*task.id), ("q", "projects/p/locations/l", "t_1"));
        assert_eq!(task.to_string(), "projects/p/locations/l/queues/q/tasks/t_1");
    }
}
