# Security Center's products (not on Windows Server), Defender's own status, and other makers' services;
# each with its error. `present` says whether a product's program is still there: uninstalled products
# leave entries behind. Defender's query can hang beside another product: it has its own time limit. Of what
# Defender found in a week only the threat's name and the time are told: no path, no user.
$budget = 55
Read-Part 'products' 20 {
  Get-CimInstance -Namespace 'root\SecurityCenter2' -ClassName AntiVirusProduct -OperationTimeoutSec 15 | ForEach-Object {
    $path = [Environment]::ExpandEnvironmentVariables([string]$_.pathToSignedProductExe).Trim('"')
    $present = $null
    # a path that may not be looked at says nothing of its product, and nothing of the others
    if ($path -match '^[A-Za-z]:\\') { try { $present = Test-Path -LiteralPath $path } catch { $present = $null } }
    [pscustomobject]@{
      displayName = $_.displayName
      productState = $_.productState
      timestamp = $_.timestamp
      pathToSignedProductExe = $(if ($path -like 'windowsdefender:*') { 'windowsdefender://' } else { $null })
      present = $present
    }
  }
}
Read-Part 'defender' 20 {
  Get-CimInstance -Namespace 'root\Microsoft\Windows\Defender' -ClassName MSFT_MpComputerStatus -OperationTimeoutSec 15 |
    Select-Object -Property AMRunningMode,AMServiceEnabled,AntivirusEnabled,RealTimeProtectionEnabled,AMProductVersion,AntivirusSignatureVersion,AntivirusSignatureLastUpdated,AntivirusSignatureAge,DefenderSignaturesOutOfDate,IsTamperProtected,QuickScanEndTime,FullScanEndTime
}
Read-Part 'services' 10 {
  Get-Service -ErrorAction SilentlyContinue -Name 'WinDefend','AVP*','KAVFS','ekrn','SepMasterService','McShield','SAVService','Sophos Endpoint Defense Service','ntrtscan','TmCCSF','EPSecurityService','VSSERV','CSFalconService','SentinelAgent','avast! Antivirus','AVG Antivirus','AntiVirService','MBAMService','BkavService','CMCCore' |
    Select-Object -Property Name,@{n='running';e={ $_.Status -eq 'Running' }}
}
Read-Part 'detections' 10 {
  Get-WinEvent -MaxEvents 100 -FilterHashtable @{
    LogName = 'Microsoft-Windows-Windows Defender/Operational'; Id = 1006,1015,1116; StartTime = [datetime]::Now.AddDays(-7)
  } | ForEach-Object {
    $threat = ([xml]$_.ToXml()).Event.EventData.Data | Where-Object { $_.Name -eq 'Threat Name' }
    [pscustomobject]@{
      threat = [string]$threat.'#text'
      at = $_.TimeCreated.ToUniversalTime().ToString('o', [Globalization.CultureInfo]::InvariantCulture)
    }
  }
}
Write-Answer
