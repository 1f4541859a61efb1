//! Audit events, enrollments that failed, approvals, and the tenant's settings.

use serde_json::{Value, json};

use super::call::{Call, Outcome, Ready, Route};
use super::filter::Op::{Eq, Ge, Gt, Le, Lt};
use super::permissions::{READ_APPS, READ_AUDIT, READ_CONFIGURATION, READ_DEVICES, READ_ROLES};
use super::query::Shape;
use super::refusal::Refusal;
use crate::ui::emulator::tenant::{
    Answer, Approval, ApprovalPolicy, EnrollmentFailure, Tenant, operating_system,
};

const fn get(
    path: &'static str,
    only_beta: bool,
    permissions: &'static [&'static str],
    run: fn(&mut Tenant, &Call<'_>) -> Outcome,
) -> Route {
    Route { method: "GET", path, only_beta, permissions, run }
}

pub(super) const ROUTES: &[Route] = &[
    get("deviceManagement", false, READ_CONFIGURATION, settings),
    get("deviceManagement/auditEvents", false, READ_APPS, audit),
    get("deviceManagement/auditEvents/{}", false, READ_APPS, one_audit),
    get("auditLogs/directoryAudits", false, READ_AUDIT, directory_audit),
    get("deviceManagement/troubleshootingEvents", false, READ_DEVICES, troubles),
    get("deviceManagement/operationApprovalPolicies", true, READ_ROLES, approval_policies),
    get("deviceManagement/operationApprovalRequests", true, READ_ROLES, approvals),
    get("deviceManagement/operationApprovalRequests/{}", true, READ_ROLES, approval),
];

const AUDIT: Shape = Shape {
    name: "auditEvent",
    properties: &[
        "activity",
        "activityDateTime",
        "activityOperationType",
        "activityResult",
        "activityType",
        "actor",
        "category",
        "componentName",
        "correlationId",
        "displayName",
        "id",
        "resources",
    ],
    filters: &[
        ("activityDateTime", &[Gt, Ge, Lt, Le]),
        ("activityOperationType", &[Eq]),
        ("activityType", &[Eq]),
        ("category", &[Eq]),
        ("componentName", &[Eq]),
        ("id", &[Eq]),
    ],
    or_within_a_property: false,
    order: &["activityDateTime"],
    expand: &[],
};

/// In the order of their ids, as pages need them.
fn by_id(all: impl Iterator<Item = Value>) -> impl Iterator<Item = Ready<'static>> {
    let mut all: Vec<_> = all.map(Ready::of).collect();
    all.sort_by(|left, right| left.id.cmp(&right.id));
    all.into_iter()
}

fn audit(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&AUDIT)?;
    let lag = tenant.settings.lag();
    let seen = tenant.audit.iter().filter(|event| event.at + lag <= tenant.now);
    let rows = by_id(seen.map(|event| event.json()));
    Ok(call.page(tenant, &AUDIT, &options, rows))
}

fn one_audit(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let event = tenant.audit.iter().find(|event| event.id == call.id());
    let event = event.ok_or_else(|| Refusal::not_found("The audit event"))?;
    call.entity(&AUDIT, &Ready::of(event.json()))
}

const DIRECTORY_AUDIT: Shape = Shape {
    name: "directoryAudit",
    properties: &[
        "activityDateTime",
        "activityDisplayName",
        "category",
        "correlationId",
        "id",
        "initiatedBy",
        "loggedByService",
        "operationType",
        "result",
        "targetResources",
    ],
    filters: &[
        ("activityDateTime", &[Gt, Ge, Lt, Le]),
        ("activityDisplayName", &[Eq]),
        ("category", &[Eq]),
        ("correlationId", &[Eq]),
    ],
    or_within_a_property: false,
    order: &["activityDateTime"],
    expand: &[],
};

fn directory_audit(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&DIRECTORY_AUDIT)?;
    let lag = tenant.settings.lag();
    let seen = tenant.directory_audit.iter().filter(|event| event.at + lag <= tenant.now);
    let rows = by_id(seen.map(|event| event.directory_json()));
    Ok(call.page(tenant, &DIRECTORY_AUDIT, &options, rows))
}

const TROUBLE: Shape = Shape {
    name: "enrollmentTroubleshootingEvent",
    properties: &[
        "@odata.type",
        "correlationId",
        "deviceId",
        "enrollmentType",
        "eventDateTime",
        "failureCategory",
        "failureReason",
        "id",
        "managedDeviceIdentifier",
        "operatingSystem",
        "osVersion",
        "userId",
    ],
    filters: &[("eventDateTime", &[Gt, Ge, Lt, Le]), ("userId", &[Eq])],
    or_within_a_property: false,
    order: &["eventDateTime"],
    expand: &[],
};

fn trouble_json(trouble: &EnrollmentFailure) -> Value {
    let windows = trouble.platform == crate::domain::model::Platform::Windows;
    json!({
        "@odata.type": "#microsoft.graph.enrollmentTroubleshootingEvent",
        "id": trouble.id,
        "eventDateTime": trouble.at.short(),
        "correlationId": trouble.id,
        "managedDeviceIdentifier": "",
        "deviceId": "",
        "userId": trouble.user_id,
        "operatingSystem": operating_system(trouble.platform),
        "osVersion": trouble.os_version,
        "enrollmentType": if windows { "windowsAzureADJoin" } else { "userEnrollment" },
        "failureCategory": trouble.category,
        "failureReason": trouble.reason,
    })
}

fn troubles(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&TROUBLE)?;
    let rows = by_id(tenant.troubles.iter().map(trouble_json));
    Ok(call.page(tenant, &TROUBLE, &options, rows))
}

const APPROVAL_POLICY: Shape = Shape {
    name: "operationApprovalPolicy",
    properties: &[
        "approverGroupIds",
        "description",
        "displayName",
        "id",
        "lastModifiedDateTime",
        "policyPlatform",
        "policySet",
        "policyType",
    ],
    filters: &[],
    or_within_a_property: false,
    order: &[],
    expand: &[],
};

fn approval_policy_json(policy: &ApprovalPolicy) -> Value {
    json!({
        "id": policy.id,
        "displayName": policy.display_name,
        "description": "",
        "lastModifiedDateTime": policy.modified.short(),
        "policyType": policy.policy_type,
        "policyPlatform": "notApplicable",
        "policySet": {"policyType": policy.policy_type, "policyPlatform": "notApplicable"},
        "approverGroupIds": [],
    })
}

fn approval_policies(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&APPROVAL_POLICY)?;
    let rows = by_id(tenant.approvals.policies.iter().map(approval_policy_json));
    Ok(call.page(tenant, &APPROVAL_POLICY, &options, rows))
}

const APPROVAL: Shape = Shape {
    name: "operationApprovalRequest",
    properties: &[
        "approvalJustification",
        "approver",
        "expirationDateTime",
        "id",
        "lastModifiedDateTime",
        "requestDateTime",
        "requestJustification",
        "requestor",
        "requiredOperationApprovalPolicyTypes",
        "status",
    ],
    // Microsoft's page filters by a name that the type does not have.
    filters: &[("id", &[Eq]), ("requestId", &[Eq]), ("status", &[Eq])],
    or_within_a_property: false,
    order: &["requestDateTime"],
    expand: &[],
};

fn approval_json(tenant: &Tenant, request: &Approval) -> Value {
    let person = json!({"user": {"id": Value::Null, "displayName": "An administrator"}});
    json!({
        "id": request.id,
        "requestId": request.id,
        "requestDateTime": request.requested.short(),
        "expirationDateTime": request.expires().short(),
        "lastModifiedDateTime": request.modified.short(),
        "requestor": {
            "application": {"id": request.app, "displayName": tenant.apps.name(&request.app)},
        },
        "approver": request.answer.as_ref().map(|_| person),
        "status": request.status(tenant.now),
        "requestJustification": request.justification,
        "approvalJustification": request.answer,
        "requiredOperationApprovalPolicyTypes": [request.about],
    })
}

fn approvals(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&APPROVAL)?;
    let all = tenant.approvals.requests.values();
    let rows = by_id(all.map(|request| approval_json(tenant, request)));
    Ok(call.page(tenant, &APPROVAL, &options, rows))
}

fn approval(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let request = tenant.approvals.requests.get(call.id());
    let request = request.ok_or_else(|| Refusal::not_found("The approval request"))?;
    call.entity(&APPROVAL, &Ready::of(approval_json(tenant, request)))
}

/// `deviceManagement`, for its settings: what a device without a policy counts as.
fn settings(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let settings = &tenant.settings;
    let shown = json!({
        "id": tenant.id,
        "settings": {
            "deviceComplianceCheckinThresholdDays": settings.silent_days,
            "isScheduledActionEnabled": true,
            "secureByDefault": !settings.compliant_without_policy,
        },
    });
    Ok(Answer::ok(call.shown(shown)))
}
