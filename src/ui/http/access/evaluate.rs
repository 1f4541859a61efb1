//! From a body to a body.

use serde::Serialize;

use super::decisions::Decisions;
use super::request::{Asked, MOST_EVALUATIONS, Semantic, Several, read};
use crate::domain::access::{Answer, Denial, Judge, Reason};
use crate::domain::model::Timestamp;

/// `{"decision": true, …}`
#[derive(Debug, Serialize)]
pub(super) struct Decision {
    decision: bool,
    context: Context,
}

#[derive(Debug, Default, Serialize)]
struct Context {
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_admin: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_user: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluated_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Mistake>,
}

/// By language.
#[derive(Debug, Serialize)]
struct Text {
    en: String,
}

#[derive(Debug, Serialize)]
struct Mistake {
    status: u16,
    message: String,
}

/// One answer, or one for each question.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Answers {
    One(Decision),
    Each { evaluations: Vec<Decision> },
}

impl From<Answer> for Decision {
    fn from(answer: Answer) -> Self {
        let Answer { denial, at, valid_until } = answer;
        let times = Context {
            evaluated_at: Some(at),
            valid_until: Some(valid_until),
            ..Context::default()
        };
        let decision = denial.is_none();
        let context = match denial {
            None => times,
            Some(Denial { reason, device: _, admin, user }) => Context {
                reason: Some(reason),
                reason_admin: Some(Text { en: admin }),
                reason_user: Some(Text { en: user }),
                ..times
            },
        };
        Self { decision, context }
    }
}

impl Decision {
    /// To a question among others that is none.
    fn mistake(message: String) -> Self {
        let error = Some(Mistake { status: 400, message });
        Self { decision: false, context: Context { error, ..Context::default() } }
    }
}

/// What is asked, and who keeps count.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) judge: Judge<'a>,
    pub(super) decisions: &'a Decisions,
}

impl Asking<'_> {
    /// To `/access/v1/evaluation`.
    ///
    /// # Errors
    /// If the body is no question: why.
    pub(super) fn one(&self, body: &[u8]) -> Result<Answers, String> {
        let asked: Asked = read(body)?;
        self.decide(&asked, &Asked::default()).map(Answers::One)
    }

    /// To `/access/v1/evaluations`: as many answers as questions, up to the one that ends it.
    ///
    /// # Errors
    /// If the body as a whole is wrong: why.
    pub(super) fn several(&self, body: &[u8]) -> Result<Answers, String> {
        let several: Several = read(body)?;
        let defaults: Asked = read(body)?;
        let semantic = several.semantic()?;
        let questions = several.evaluations.as_deref().unwrap_or_default();
        if questions.is_empty() {
            return self.decide(&defaults, &Asked::default()).map(Answers::One);
        }
        if questions.len() > MOST_EVALUATIONS {
            return Err(format!("more than {MOST_EVALUATIONS} evaluations at once"));
        }
        let mut evaluations = Vec::with_capacity(questions.len());
        for question in questions {
            let asked = read::<Asked>(question.get().as_bytes());
            let decided = asked.and_then(|asked| self.decide(&asked, &defaults));
            let decision = decided.unwrap_or_else(|why| {
                self.decisions.count_mistake();
                Decision::mistake(why)
            });
            let ends = match semantic {
                Semantic::ExecuteAll => false,
                Semantic::DenyOnFirstDeny => !decision.decision,
                Semantic::PermitOnFirstPermit => decision.decision,
            };
            evaluations.push(decision);
            if ends {
                break;
            }
        }
        Ok(Answers::Each { evaluations })
    }

    fn decide(&self, asked: &Asked, defaults: &Asked) -> Result<Decision, String> {
        let question = asked.question(defaults)?;
        let answer = self.judge.answer(&question);
        self.decisions.note(&question, &answer);
        Ok(answer.into())
    }
}
